// Crops of images and volumes along any directions: a thread finds the place of one pixel and samples it in a group of
// channels.
#include "crops.h"

#include "../math/sample.h"
#include "block.cuh"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 256, kChannels = 4;
constexpr size_t kMaps = 32;  // at once: 3 KiB of the 4 KiB that a kernel's arguments may take on any device

struct Maps {
    double values[kMaps * 12];
};

// Where a point lies: the two neighbours on each axis.
struct Spot {
    Between x, y, z;
};

template <int kAxes>
__device__ Between on_axis(const double* map, int axis, double x, double y, double z, int inputs) {
    const double* m = map + axis * (kAxes + 1);
    const double base = kAxes == 2 ? m[1] * y + m[2] : m[1] * y + (m[2] * z + m[kAxes]);
    return between(m[0] * x + base, inputs);
}

template <int kAxes, class Voxel>
__device__ Spot find_spot(const double* map, const Volume<Voxel>& volume, double x, double y, double z) {
    Spot spot = {on_axis<kAxes>(map, 0, x, y, z, volume.columns), on_axis<kAxes>(map, 1, x, y, z, volume.rows),
                 {0, 0, 0.0f, 1}};
    if (kAxes == 3) spot.z = on_axis<kAxes>(map, kAxes - 1, x, y, z, volume.slices);
    return spot;
}

template <class Voxel>
__device__ float sample_line(const Voxel* line, const Between& x) {
    return mix(static_cast<float>(__ldg(line + x.low)), static_cast<float>(__ldg(line + x.high)), x.share);
}

template <class Voxel>
__device__ float sample_slice(const Voxel* slice, int columns, const Spot& spot) {
    const size_t low = static_cast<size_t>(spot.y.low) * static_cast<size_t>(columns);
    const size_t high = static_cast<size_t>(spot.y.high) * static_cast<size_t>(columns);
    return mix(sample_line(slice + low, spot.x), sample_line(slice + high, spot.x), spot.y.share);
}

template <class Voxel>
__device__ float sample(const Voxel* voxels, const Volume<Voxel>& volume, const Spot& spot) {
    const size_t slice = static_cast<size_t>(volume.rows) * static_cast<size_t>(volume.columns);
    const float front = sample_slice(voxels + static_cast<size_t>(spot.z.low) * slice, volume.columns, spot);
    if (!(spot.z.share > 0.0f)) return front;
    return mix(front, sample_slice(voxels + static_cast<size_t>(spot.z.high) * slice, volume.columns, spot),
               spot.z.share);
}

template <int kAxes, class Voxel>
__global__ void __launch_bounds__(kThreads) crop_pixels(CropJob<Voxel> job, Maps maps, int crops) {
    const size_t columns = static_cast<size_t>(job.columns), rows = static_cast<size_t>(job.rows);
    const size_t pixels = static_cast<size_t>(job.slices) * rows * columns;
    const size_t voxels = static_cast<size_t>(job.volume.slices) * static_cast<size_t>(job.volume.rows) *
                          static_cast<size_t>(job.volume.columns);
    const int samples = job.samples, last = samples * samples - 1;
    const float share = 1.0f / static_cast<float>(last + 1);
    for (int first = static_cast<int>(blockIdx.y) * kChannels; first < job.channels;
         first += static_cast<int>(gridDim.y) * kChannels) {
        const int channels = min(kChannels, job.channels - first);
        for_each_of_grid(static_cast<size_t>(crops) * pixels, [&](size_t i) {
            const size_t crop = i / pixels, pixel = i % pixels;
            const int x = static_cast<int>(pixel % columns), y = static_cast<int>(pixel / columns % rows);
            const int z = static_cast<int>(pixel / columns / rows);
            const double* map = maps.values + crop * (kAxes * (kAxes + 1));
            const Voxel* from = job.volume.voxels + static_cast<size_t>(first) * voxels;
            float sums[kChannels] = {};
            for (int k = 0; k <= last; ++k) {
                const double at_x = sample_at(x, k % samples, samples), at_y = sample_at(y, k / samples, samples);
                const Spot spot = find_spot<kAxes>(map, job.volume, at_x, at_y, z);
                const bool inside = spot.x.inside && spot.y.inside && spot.z.inside;
#pragma unroll
                for (int channel = 0; channel < kChannels; ++channel) {
                    if (channel >= channels) break;
                    const Voxel* voxel = from + static_cast<size_t>(channel) * voxels;
                    const float value = inside ? sample(voxel, job.volume, spot) : job.outside;
                    sums[channel] = k == 0 ? value : sums[channel] + value;
                }
            }
            const size_t plane = crop * static_cast<size_t>(job.channels) + static_cast<size_t>(first);
            float* out = job.out + plane * pixels + pixel;
#pragma unroll
            for (int channel = 0; channel < kChannels; ++channel) {
                if (channel < channels) out[static_cast<size_t>(channel) * pixels] = sums[channel] * share;
            }
        });
    }
}

}  // namespace

template <int kAxes, class Voxel>
void crop(const CropJob<Voxel>& job, size_t n, const Stream& stream) {
    constexpr size_t kMap = kAxes * (kAxes + 1);
    const size_t pixels =
        static_cast<size_t>(job.slices) * static_cast<size_t>(job.rows) * static_cast<size_t>(job.columns);
    const unsigned groups = blocks_for(static_cast<size_t>(job.channels), kChannels);
    CropJob<Voxel> part = job;
    for (size_t begin = 0; begin < n; begin += kMaps) {
        const size_t count = n - begin < kMaps ? n - begin : kMaps;
        Maps maps = {};
        for (size_t i = 0; i < count * kMap; ++i) maps.values[i] = job.maps[begin * kMap + i];
        part.out = job.out + begin * static_cast<size_t>(job.channels) * pixels;
        launch(kAxes == 2 ? "crop_rotated" : "crop_oblique", {n, job.channels, job.slices, job.rows, job.columns},
               crop_pixels<kAxes, Voxel>, {dim3(blocks_for(count * pixels, kThreads), groups), dim3(kThreads)}, stream,
               part, maps, static_cast<int>(count));
    }
}
template void crop<2>(const CropJob<uint8_t>&, size_t, const Stream&);
template void crop<2>(const CropJob<int16_t>&, size_t, const Stream&);
template void crop<2>(const CropJob<uint16_t>&, size_t, const Stream&);
template void crop<2>(const CropJob<float>&, size_t, const Stream&);
template void crop<3>(const CropJob<uint8_t>&, size_t, const Stream&);
template void crop<3>(const CropJob<int16_t>&, size_t, const Stream&);
template void crop<3>(const CropJob<uint16_t>&, size_t, const Stream&);
template void crop<3>(const CropJob<float>&, size_t, const Stream&);

}  // namespace spinert::cuda
