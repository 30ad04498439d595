// Crops of images and volumes along any directions.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../math/volume.h"
#include "isa.h"

namespace spinert {

// Crops [n, channels, slices, rows, columns] of a volume [channels, slices, rows, columns]. The place of the crop's
// (x, y, z) in the volume, as (x, y, z) again, is its map [3, 4] times (x, y, z, 1). With two axes there is one slice,
// and maps are [2, 3]; each pixel is then the mean of samples x samples points, evenly spaced within it. Points outside
// of the volume count as `outside`.
template <class Voxel>
struct CropJob {
    Volume<Voxel> volume;  // one channel of it: fewer than 2**31 voxels
    int channels, axes;
    const double* maps;
    int slices, rows, columns;  // of a crop
    int samples;
    float outside;
    float* out;
};
template <class Voxel>
void crop(const CropJob<Voxel>& job, size_t n, int threads);

namespace crops {

// Rows begin..end of all crops, counted through the slices of one channel.
template <class Voxel>
using Crop = void (*)(const CropJob<Voxel>& job, int64_t begin, int64_t end);

struct Kernels {
    Crop<uint8_t> crop_u8;
    Crop<int16_t> crop_i16;
    Crop<uint16_t> crop_u16;
    Crop<float> crop_f32;
};
SPINERT_TABLES

}  // namespace crops
}  // namespace spinert
