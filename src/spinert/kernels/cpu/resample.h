// Volumes to other grids along their axes: linear with antialiasing, and nearest for labels.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../math/volume.h"
#include "isa.h"

namespace spinert {

// out [grid.slices, grid.rows, grid.columns]
template <class Voxel>
void resample_volume(Volume<Voxel> volume, const ResampleGrid& grid, StoredWindow window, float* out, int threads);
template <class Label>
void resample_labels(Volume<Label> labels, const ResampleGrid& grid, Label* out, int threads);

// Output i is the sum over t < taps of weight t times input `index` t, both at [i * taps + t]. An output that needs
// fewer inputs repeats its first one with weight 0, so that no other input can make it nan.
struct ResampleAxis {
    const int32_t* index;
    const float* weights;
    int taps;
};

template <class Voxel>
struct LinearJob {
    Volume<Voxel> volume;
    StoredWindow window;
    int rows, columns;  // of the result
    ResampleAxis slice, row;
    ResampleAxis column;  // at [t * padded + i] instead, outputs padded to a multiple of 16
    int padded;
    bool near;   // 16 neighbouring outputs have their inputs t within 32, 8 of them within 16
    int stride;  // of the lines in scratch: a multiple of 16, at least volume.columns + 31
    float* out;
};

// Which slice, row and column of the labels each one of the result is.
template <class Label>
struct NearestJob {
    Volume<Label> labels;
    int rows, columns;  // of the result
    const int32_t *slice, *row, *column;
    Label* out;
};

namespace resample {

// Rows begin..end of the result, counted through its slices.
template <class Voxel>
using Linear = void (*)(const LinearJob<Voxel>& job, int64_t begin, int64_t end, float* scratch);
template <class Label>
using Nearest = void (*)(const NearestJob<Label>& job, int64_t begin, int64_t end);

struct Kernels {
    // `scratch` is row.taps + 1 lines
    Linear<uint8_t> linear_u8;
    Linear<int16_t> linear_i16;
    Linear<uint16_t> linear_u16;
    Linear<float> linear_f32;
    Nearest<uint8_t> nearest_u8;
    Nearest<uint16_t> nearest_u16;
};
SPINERT_TABLES

}  // namespace resample
}  // namespace spinert
