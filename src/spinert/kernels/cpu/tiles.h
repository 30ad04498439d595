// Overlapping tiles of a volume to one volume.
#pragma once

#include <cstddef>

#include "../math/half.h"
#include "isa.h"

namespace spinert {

// Sums [classes, slots, rows, columns] of a slab of a volume; slice z of the volume is in slot z % slots.
template <class T>
struct Ring {
    T* sums;
    size_t classes, slots, rows, columns;

    T* row(size_t c, size_t slot, size_t y) const {
        return sums + ((c * slots + slot % slots) * rows + y) * columns;
    }
};

// Where a tile goes and what it weighs: a voxel weighs z[k] * y[j] * x[i]. Voxels with k >= fresh_z, j >= fresh_y and
// i >= fresh_x are the first of their place: they replace what is there, the others are added to it.
struct TilePlace {
    size_t depth, height, width;
    const float *z, *y, *x;
    size_t slot, row, column;
    size_t fresh_z, fresh_y, fresh_x;
};

// tile [classes, depth, height, width], T is float or Half.
template <class T>
void add_tile(const T* tile, const TilePlace& place, Ring<float> ring, int threads);

// Slices of the ring from a slot on, to as many slices of a volume.
struct Slices {
    size_t slot, count;
};
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
