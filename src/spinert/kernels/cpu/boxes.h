// Boxes that overlap: intersection over union, greedy suppression, and the rules for a column of boxes.
//
// Boxes are float [n, 4] as x0, y0, x1, y1, rotated ones [n, 5] as cx, cy, width, height, radians.
#pragma once

#include <cstddef>
#include <cstdint>

#include "groups.h"
#include "isa.h"

namespace spinert {

struct BoxArray {
    const float* values;
    size_t n;
};

// Intersection over union of each a with each b, [a.n, b.n].
void iou(BoxArray a, BoxArray b, float* out, int threads);
void rotated_iou(BoxArray a, BoxArray b, float* out, int threads);

// Boxes [n] in groups, n < 2**31. Of each group, the places of the boxes that stay, kept [n] from the group's first on
// and -1 behind them, and how many, counts [groups].
struct BoxGroups {
    const float* boxes;
    Groups groups;
    int32_t* kept;
    int32_t* counts;
};
// In the order of the scores [n], a box stays unless its overlap with one that stays is above the threshold.
struct Suppression {
    const float* scores;
    double threshold;
    uint32_t max_keep;
};
void nms(BoxGroups groups, Suppression suppression, int threads);
void rotated_nms(BoxGroups groups, Suppression suppression, int threads);

// From top to bottom, boxes that their neighbours do not speak against.
void neighbour_overlap(BoxGroups groups, double threshold, int threads);
void neighbour_shift(BoxGroups groups, double widths, int threads);

// What one group of n boxes needs: two times n entries, and lanes of floats or doubles for each box that may stay.
struct SortEntry {
    uint32_t key, box;
};
struct BoxScratch {
    SortEntry *entries, *spare;
    void* lanes;
};
constexpr size_t kLanesOfBox = 4 * sizeof(float) + sizeof(double), kLanesOfRotatedBox = 8 * sizeof(double);
constexpr size_t kLaneBlock = 64;  // boxes to which the lanes are filled up

namespace boxes {

using GroupKernel = uint32_t (*)(const float* boxes, uint32_t n, Suppression suppression, const BoxScratch& scratch,
                                 int32_t* kept);
using ColumnKernel = uint32_t (*)(const float* boxes, uint32_t n, double limit, const BoxScratch& scratch,
                                  int32_t* kept);
struct Kernels {
    void (*iou)(BoxArray a, BoxArray b, float* out);
    void (*rotated_iou)(BoxArray a, BoxArray b, float* out);
    GroupKernel nms, rotated_nms;
    ColumnKernel neighbour_overlap, neighbour_shift;
};
SPINERT_TABLES

}  // namespace boxes
}  // namespace spinert
