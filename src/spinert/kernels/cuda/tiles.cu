// Overlapping tiles to one volume. Every voxel belongs to one thread in each launch, and launches follow each other on
// the stream: sums are made in the order of the tiles, with the CPU's arithmetic and bits.
#include "tiles.h"

#include "block.cuh"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 256;

__device__ float value_of(float value) { return value; }
__device__ float value_of(__half value) { return __half2float(value); }

// A row of the tile for each warp.
template <class T>
__global__ void __launch_bounds__(kThreads)
add_rows_of_tile(const T* tile, TilePlace place, Ring<float> ring) {
    const size_t rows = ring.classes * place.depth * place.height;
    const size_t step = static_cast<size_t>(gridDim.x) * (kThreads / kWarp);
    const size_t first = static_cast<size_t>(blockIdx.x) * (kThreads / kWarp) + static_cast<size_t>(warp_of_thread());
    for (size_t row = first; row < rows; row += step) {
        const size_t plane = row / place.height, j = row % place.height;
        const size_t c = plane / place.depth, k = plane % place.depth;
        const bool fresh = k >= place.fresh_z && j >= place.fresh_y;
        const size_t added = fresh ? place.fresh_x : place.width;
        const float scale = place.z[k] * place.y[j];
        const T* const from = tile + row * place.width;
        float* const to = row_of(ring, c, place.slot + k, place.row + j) + place.column;
#pragma unroll 4
        for (size_t i = static_cast<size_t>(lane_of_thread()); i < place.width; i += kWarp) {
            const float value = (scale * __ldg(place.x + i)) * value_of(from[i]);
            to[i] = i < added ? to[i] + value : value;
        }
    }
}

// One slice for each row of blocks.
__global__ void __launch_bounds__(kThreads)
label_voxels(Ring<const float> ring, Slices slices, float threshold, uint8_t* labels) {
    const size_t area = ring.rows * ring.columns, stride = ring.slots * area;
    const float lowest = ring.classes == 1 ? threshold : -__int_as_float(0x7f800000);
    const unsigned first = ring.classes == 1 ? 1 : 0;
    for (size_t k = blockIdx.y; k < slices.count; k += gridDim.y) {
        const float* const sums = row_of(ring, 0, slices.slot + k, 0);
        for_each_of_grid(area, [&](size_t voxel) {
            float best = lowest;
            unsigned label = 0;
#pragma unroll 4
            for (size_t c = 0; c < ring.classes; ++c) {
                const float sum = __ldg(sums + c * stride + voxel);
                label = best < sum ? static_cast<unsigned>(c) + first : label;
                best = best < sum ? sum : best;
            }
            labels[k * area + voxel] = static_cast<uint8_t>(label);
        });
    }
}

// One slice of a class for each row of blocks.
__global__ void __launch_bounds__(kThreads)
halve_voxels(Ring<const float> ring, Slices slices, size_t stride, __half* values) {
    const size_t area = ring.rows * ring.columns;
    for (size_t plane = blockIdx.y; plane < ring.classes * slices.count; plane += gridDim.y) {
        const size_t c = plane / slices.count, k = plane % slices.count;
        const float* const sums = row_of(ring, c, slices.slot + k, 0);
        __half* const to = values + c * stride + k * area;
        for_each_of_grid(area, [&](size_t voxel) { to[voxel] = __float2half_rn(__ldg(sums + voxel)); });
    }
}

dim3 blocks_of_planes(size_t area, size_t planes) { return {blocks_for(area, kThreads), blocks_for(planes, 1)}; }

}  // namespace

template <class T>
void add_tile(const T* tile, const TilePlace& place, Ring<float> ring, const Stream& stream) {
    const size_t rows = place.width == 0 ? 0 : ring.classes * place.depth * place.height;
    launch("add_tile", {ring.classes, place.depth, place.height, place.width}, add_rows_of_tile<T>,
           {dim3(blocks_for(rows, kThreads / kWarp)), dim3(kThreads)}, stream, tile, place, ring);
}
template void add_tile(const float* tile, const TilePlace& place, Ring<float> ring, const Stream& stream);
template void add_tile(const __half* tile, const TilePlace& place, Ring<float> ring, const Stream& stream);

void label_slices(Ring<const float> ring, Slices slices, float threshold, uint8_t* labels, const Stream& stream) {
    launch("label_slices", {ring.classes, slices.count, ring.rows, ring.columns}, label_voxels,
           {blocks_of_planes(ring.rows * ring.columns, slices.count), dim3(kThreads)}, stream, ring, slices, threshold,
           labels);
}

void half_slices(Ring<const float> ring, Slices slices, size_t stride, __half* values, const Stream& stream) {
    launch("half_slices", {ring.classes, slices.count, ring.rows, ring.columns}, halve_voxels,
           {blocks_of_planes(ring.rows * ring.columns, ring.classes * slices.count), dim3(kThreads)}, stream, ring,
           slices, stride, values);
}

}  // namespace spinert::cuda
