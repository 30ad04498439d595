// Overlapping tiles of a volume to one volume on the device: as the functions of the same names on the CPU.
#pragma once

#include <cuda_fp16.h>

#include <cstddef>
#include <cstdint>

#include "stream.h"

namespace spinert::cuda {

// Sums [classes, slots, rows, columns] of a slab of a volume; slice z of the volume is in slot z % slots.
template <class T>
struct Ring {
    T* sums;
    size_t classes, slots, rows, columns;
};

// Where a tile goes and what it weighs: a voxel weighs z[k] * y[j] * x[i]. Voxels with k >= fresh_z, j >= fresh_y and
// i >= fresh_x are the first of their place: they replace what is there, the others are added to it.
struct TilePlace {
    size_t depth, height, width;
    const float *z, *y, *x;
    size_t slot, row, column;
    size_t fresh_z, fresh_y, fresh_x;
};

// tile [classes, depth, height, width], T is float or __half.
template <class T>
void add_tile(const T* tile, const TilePlace& place, Ring<float> ring, const Stream& stream);

// Slices of the ring from a slot on, to as many slices of a volume.
struct Slices {
    size_t slot, count;
};
void label_slices(Ring<const float> ring, Slices slices, float threshold, uint8_t* labels, const Stream& stream);
// `stride` values from a class's volume to the next one's.
void half_slices(Ring<const float> ring, Slices slices, size_t stride, __half* values, const Stream& stream);

}  // namespace spinert::cuda
