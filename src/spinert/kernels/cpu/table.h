// What one instruction set offers: a table of plain functions, filled by isa.cc once per ISA and chosen by dispatch.cc.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../kernels.h"

namespace spinert {

// A range of values low..high, and how many pixels lie below and within it.
struct Bracket {
    int low, high;
    uint64_t below, within;
};

// A histogram has an entry for every stored value, and as many spare ones as a block has pixels.
template <class Pixel>
constexpr int kLevels = 1 << (8 * sizeof(Pixel));
template <class Pixel>
constexpr int kHistogram = kLevels<Pixel> + 64 / static_cast<int>(sizeof(Pixel));

// One axis of a separable resize: output i is the sum over t < taps of weights[i * taps + t] * source[first[i] + t].
// Taps beyond the source have weight 0.
struct Axis {
    const int32_t* first;
    const float* weights;
    int taps;
};

template <class Pixel>
struct ResizeJob {
    Radiograph<Pixel> image;
    Window window;
    Axis rows, columns;  // rows.taps is a multiple of 4
    int out_columns;
    float* out;  // first pixel of the placed image
    int out_stride;
};

struct DbscanEntry {
    uint64_t place;  // of the point's cell in the grid, row by row
    uint32_t point;
};
struct DbscanCell {
    uint64_t place;
    uint32_t first;   // of its points
    uint32_t cores;   // how many of them, the first ones, are core points
    uint32_t parent;  // a cell of the same cluster that comes before it, or itself
    int32_t cluster;  // -1: none yet
};
// Arrays of as many entries as the largest group has points; `cells` has one more.
struct DbscanScratch {
    DbscanEntry *entries, *spare;
    DbscanCell* cells;
    double *x, *y;
    uint32_t* points;
};

struct Kernels {
    const char* isa;
    // adds to the counts of brackets [2], and to histogram [kHistogram] the pixels within a bracket of several values
    void (*count_u8)(const uint8_t* pixels, size_t n, Bracket* brackets, uint32_t* histogram);
    void (*count_u16)(const uint16_t* pixels, size_t n, Bracket* brackets, uint32_t* histogram);
    // output rows begin..end; `line` is scratch of image.columns + columns.taps floats
    void (*resize_u8)(const ResizeJob<uint8_t>& job, int begin, int end, float* line);
    void (*resize_u16)(const ResizeJob<uint16_t>& job, int begin, int end, float* line);
    void (*soft_argmax)(Maps maps, int radius, float* xy, float* confidence);
    void (*peak)(Maps maps, float* xy, float* value);
    void (*tilt_vectors)(const double* corners, size_t n, double* vectors);
    void (*angle_matrix)(const double* vectors, size_t n, double* degrees);
    // one group
    void (*dbscan)(const double* points, uint32_t n, double eps, int64_t min_samples, const DbscanScratch& scratch,
                   int32_t* labels);
    // `scratch` is max(n, k * (axes + 1)) doubles
    void (*kmeans)(KMeansJob job, int axes, double* scratch);
};

const Kernels& active();

}  // namespace spinert
