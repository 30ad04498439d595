// Overlapping tiles of a volume to one volume.
#pragma once

#include <cstddef>

#include "../math/half.h"
#include "../math/ring.h"
#include "isa.h"

namespace spinert {

// tile [classes, depth, height, width], T is float or Half.
template <class T>
void add_tile(const T* tile, const TilePlace& place, Ring<float> ring, int threads);

// labels [count, rows, columns]: the class with the largest sum, the first of equals; of one class 1 above `threshold`.
void label_slices(Ring<const float> ring, Slices slices, float threshold, uint8_t* labels, int threads);
// values: `count` slices of each class, whose volumes are `stride` apart.
void half_slices(Ring<const float> ring, Slices slices, size_t stride, Half* values, int threads);

namespace tiles {

// Rows; `count` numbers each.
struct Kernels {
    // sums = or += (scale * weights) * tile; the first `added` are added
    void (*add_floats)(const float* tile, const float* weights, float scale, size_t added, size_t count, float* sums);
    void (*add_halves)(const Half* tile, const float* weights, float scale, size_t added, size_t count, float* sums);
    // sums of class c are at sums + c * stride
    void (*label)(const float* sums, size_t classes, size_t stride, float threshold, size_t count, uint8_t* labels);
    void (*halve)(const float* sums, size_t count, Half* values);
};
SPINERT_TABLES

}  // namespace tiles
}  // namespace spinert
