// Sums of a slab of a volume, and the tiles that are added to them.
#pragma once

#include <cstddef>

#include "both.h"

namespace spinert {

// Sums [classes, slots, rows, columns] of a slab of a volume; slice z of the volume is in slot z % slots.
template <class T>
struct Ring {
    T* sums;
    size_t classes, slots, rows, columns;
};

// The sums of a class from row y of a slice on.
template <class T>
SPINERT_BOTH T* row_of(const Ring<T>& ring, size_t c, size_t slot, size_t y) {
    return ring.sums + ((c * ring.slots + slot % ring.slots) * ring.rows + y) * ring.columns;
}

// Where a tile goes and what it weighs: a voxel weighs z[k] * y[j] * x[i]. Voxels with k >= fresh_z, j >= fresh_y and
// i >= fresh_x are the first of their place: they replace what is there, the others are added to it.
struct TilePlace {
    size_t depth, height, width;
    const float *z, *y, *x;
    size_t slot, row, column;
    size_t fresh_z, fresh_y, fresh_x;
};

// Slices of the ring from a slot on, to as many slices of a volume.
struct Slices {
    size_t slot, count;
};

}  // namespace spinert
