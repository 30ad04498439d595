// Boxes that overlap on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "groups.h"
#include "stream.h"

namespace spinert::cuda {

struct BoxArray {
    const float* values;
    size_t n;
};
void iou(BoxArray a, BoxArray b, float* out, const Stream& stream);
void rotated_iou(BoxArray a, BoxArray b, float* out, Stream& stream);

// kept [n], counts [groups].
struct BoxGroups {
    const float* boxes;
    Groups groups;
    int32_t* kept;
    int32_t* counts;
};
struct Suppression {
    const float* scores;
    double threshold;
    int max_keep;
};
void nms(const BoxGroups& groups, const Suppression& suppression, Stream& stream);
void rotated_nms(const BoxGroups& groups, const Suppression& suppression, Stream& stream);
void neighbour_overlap(const BoxGroups& groups, double threshold, Stream& stream);
void neighbour_shift(const BoxGroups& groups, double widths, Stream& stream);

}  // namespace spinert::cuda
