// Crops of images and volumes on the device, queued on a stream.
#pragma once

#include <cstddef>

#include "../math/volume.h"
#include "stream.h"

namespace spinert::cuda {

// As spinert::CropJob on the CPU. `maps` lies in host memory and is read at once: it travels with the launches.
template <class Voxel>
struct CropJob {
    Volume<Voxel> volume;  // one channel of it
    int channels;
    const double* maps;
    int slices, rows, columns;  // of a crop
    int samples;
    float outside;
    float* out;
};

// uint8_t, int16_t, uint16_t, float; 2 or 3 axes
template <int kAxes, class Voxel>
void crop(const CropJob<Voxel>& job, size_t n, const Stream& stream);

}  // namespace spinert::cuda
