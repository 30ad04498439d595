// Overlapping tiles of a volume to one volume on the device: as the functions of the same names on the CPU.
#pragma once

#include <cuda_fp16.h>

#include <cstddef>
#include <cstdint>

#include "../math/ring.h"
#include "stream.h"

namespace spinert::cuda {

// tile [classes, depth, height, width], T is float or __half.
template <class T>
void add_tile(const T* tile, const TilePlace& place, Ring<float> ring, const Stream& stream);

void label_slices(Ring<const float> ring, Slices slices, float threshold, uint8_t* labels, const Stream& stream);
// `stride` values from a class's volume to the next one's.
void half_slices(Ring<const float> ring, Slices slices, size_t stride, __half* values, const Stream& stream);

}  // namespace spinert::cuda
