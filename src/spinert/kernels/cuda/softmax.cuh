// Mean, spread and concentration of softmax(map / temperature): sums over the parts of a map, then over them.
#pragma once

#include "../math/exponential.h"
#include "scratch.h"
#include "survey.cuh"

namespace spinert::cuda {
namespace {

// Of weights, of those near the highest cell, and of weights times distances from it: what is far from it weighs
// little, and what is near it loses nothing by rounding.
enum Sum { kMass, kNear, kX, kY, kZ, kXX, kYY, kZZ, kXY, kXZ, kYZ, kSums };
template <bool kSpread>
constexpr int kSumsOf = kSpread ? kSums : kXX;

// map_tops [n]
__global__ void __launch_bounds__(kThreads) tops_of_maps(const Top* tops, Shape shape, Top* map_tops) {
    __shared__ Highest<float> scratch[kWarpsAtMost];
    const Top top = top_of_map(tops + blockIdx.x * static_cast<size_t>(shape.parts), shape, scratch);
    if (threadIdx.x == 0) map_tops[blockIdx.x] = top;
}

// A thread adds up 16 cells in float, the block its threads in double. sums [n, parts, kSumsOf]
template <bool kSpread>
__global__ void __launch_bounds__(kThreads)
moments_of_parts(const float* maps, Shape shape, float scale, int radius, const Top* tops, const Top* map_tops,
                 double* sums) {
    __shared__ double scratch[kWarpsAtMost];
    const size_t map = blockIdx.x / static_cast<unsigned>(shape.parts);
    const int part = static_cast<int>(blockIdx.x % static_cast<unsigned>(shape.parts));
    const Top top = map_tops[map];
    const bool counts =
        top.finite && (top.cell.value - tops[blockIdx.x].cell.value) * scale <= negligible_bits(shape.cells);
    float mine[kSumsOf<kSpread>] = {};
    if (counts) {
        const float* const values = maps + map * static_cast<size_t>(shape.cells);
        const Cell centre = cell_at(top.cell.index, shape);
        for (Walk walk(shape, part); walk.inside(); walk.go_on(shape)) {
            const float weight = exp2_of_nonpositive((__ldg(values + walk.index) - top.cell.value) * scale);
            const int dx = walk.at.x - centre.x, dy = walk.at.y - centre.y, dz = walk.at.z - centre.z;
            const float x = weight * static_cast<float>(dx), y = weight * static_cast<float>(dy);
            const float z = weight * static_cast<float>(dz);
            const bool near = abs(dx) <= radius && abs(dy) <= radius && abs(dz) <= radius;
            mine[kMass] += weight;
            mine[kNear] += near ? weight : 0.0f;
            mine[kX] += x;
            mine[kY] += y;
            mine[kZ] += z;
            if constexpr (kSpread) {
                mine[kXX] += x * static_cast<float>(dx);
                mine[kYY] += y * static_cast<float>(dy);
                mine[kZZ] += z * static_cast<float>(dz);
                mine[kXY] += x * static_cast<float>(dy);
                mine[kXZ] += x * static_cast<float>(dz);
                mine[kYZ] += y * static_cast<float>(dz);
            }
        }
    }
    double* const out = sums + static_cast<size_t>(blockIdx.x) * kSumsOf<kSpread>;
    for (int i = 0; i < kSumsOf<kSpread>; ++i) {
        const double sum = counts ? sum_of_block(static_cast<double>(mine[i]), scratch) : 0.0;
        if (threadIdx.x == 0) out[i] = sum;
    }
}

__device__ void write_covariance(const double* sums, const double* mean, int axes, float* covariance) {
    const Sum second[3][3] = {{kXX, kXY, kXZ}, {kXY, kYY, kYZ}, {kXZ, kYZ, kZZ}};
    for (int i = 0; i < axes; ++i) {
        for (int j = 0; j < axes; ++j) {
            const double value = sums[second[i][j]] / sums[kMass] - mean[i] * mean[j];
            covariance[i * axes + j] = static_cast<float>(i == j && value < 0.0 ? 0.0 : value);
        }
    }
}

template <bool kSpread>
__global__ void __launch_bounds__(kThreads)
softmax_of_maps(Shape shape, const Top* map_tops, const double* sums, float* points, float* confidence,
                float* covariance) {
    __shared__ double scratch[kWarpsAtMost];
    const size_t map = blockIdx.x;
    const Top top = map_tops[map];
    float* const point = points + map * static_cast<size_t>(shape.axes);
    float* const spread = kSpread ? covariance + map * static_cast<size_t>(shape.axes * shape.axes) : nullptr;
    if (!top.finite) {
        write_nan(point, shape.axes);
        if (kSpread) write_nan(spread, shape.axes * shape.axes);
        if (threadIdx.x == 0) confidence[map] = 0.0f;
        return;
    }
    double total[kSumsOf<kSpread>];
    for (int i = 0; i < kSumsOf<kSpread>; ++i) {
        double mine = 0.0;
        for (int part = static_cast<int>(threadIdx.x); part < shape.parts; part += kThreads) {
            mine += sums[(map * static_cast<size_t>(shape.parts) + static_cast<size_t>(part)) * kSumsOf<kSpread> + i];
        }
        total[i] = sum_of_block(mine, scratch);
    }
    if (threadIdx.x != 0) return;
    const double mean[3] = {total[kX] / total[kMass], total[kY] / total[kMass], total[kZ] / total[kMass]};
    const Cell centre = cell_at(top.cell.index, shape);
    write_point(centre.x + mean[0], centre.y + mean[1], centre.z + mean[2], shape.axes, point);
    const double share = total[kNear] / total[kMass];
    confidence[map] = static_cast<float>(share < 1.0 ? share : 1.0);
    if constexpr (kSpread) write_covariance(total, mean, shape.axes, spread);
}

template <bool kSpread>
void softmax_of(const char* name, const Maps& maps, const Softmax& softmax, float* points, float* confidence,
                float* covariance, Stream& stream) {
    if (maps.n == 0) return;
    const Shape shape = shape_of(maps);
    const size_t parts = maps.n * static_cast<size_t>(shape.parts), sums_count = parts * kSumsOf<kSpread>;
    Scratch scratch(stream, {parts * sizeof(Top), maps.n * sizeof(Top), sums_count * sizeof(double)});
    Top* const tops = scratch.next<Top>(parts);
    Top* const map_tops = scratch.next<Top>(maps.n);
    double* const sums = scratch.next<double>(sums_count);
    const float scale = static_cast<float>(kBitsPerNat / softmax.temperature);

    survey(name, maps, tops, stream);
    launch(name, {maps.n, maps.depth, maps.height, maps.width}, tops_of_maps, grid_of_maps(maps), stream, tops, shape,
           map_tops);
    launch(name, {maps.n, maps.depth, maps.height, maps.width}, moments_of_parts<kSpread>, grid_of_parts(maps), stream,
           maps.values, shape, scale, softmax.radius, tops, map_tops, sums);
    launch(name, {maps.n, maps.depth, maps.height, maps.width}, softmax_of_maps<kSpread>, grid_of_maps(maps), stream,
           shape, map_tops, sums, points, confidence, covariance);
}

}  // namespace
}  // namespace spinert::cuda
