// Mean position of the cells above a threshold: whole numbers, whose sums are exact in any order, and their values.
#pragma once

#include "scratch.h"
#include "survey.cuh"

namespace spinert::cuda {
namespace {

struct Above {
    long long count, x, y, z;
    double value;
    int finite;
};

__device__ Above sum_above(const Above& mine, long long* scratch, double* scratch_value) {
    return {sum_of_block(mine.count, scratch),      sum_of_block(mine.x, scratch),
            sum_of_block(mine.y, scratch),          sum_of_block(mine.z, scratch),
            sum_of_block(mine.value, scratch_value), !__syncthreads_or(!mine.finite)};
}

// parts [n, parts]
__global__ void __launch_bounds__(kThreads)
above_of_parts(const float* maps, Shape shape, float threshold, const uint8_t* masks, size_t maps_per_mask,
               Above* parts) {
    __shared__ long long scratch[kWarpsAtMost];
    __shared__ double scratch_value[kWarpsAtMost];
    const size_t map = blockIdx.x / static_cast<unsigned>(shape.parts);
    const int part = static_cast<int>(blockIdx.x % static_cast<unsigned>(shape.parts));
    const float* const values = maps + map * static_cast<size_t>(shape.cells);
    const uint8_t* const mask = masks ? masks + map / maps_per_mask * static_cast<size_t>(shape.cells) : nullptr;
    Above mine = {0, 0, 0, 0, 0.0, 1};
    float doubt = 0.0f;
    for (Walk walk(shape, part); walk.inside(); walk.go_on(shape)) {
        const float v = __ldg(values + walk.index);
        doubt += v - v;
        if (!(v > threshold) || (mask && mask[walk.index] == 0)) continue;
        ++mine.count;
        mine.x += walk.at.x;
        mine.y += walk.at.y;
        mine.z += walk.at.z;
        mine.value += static_cast<double>(v);
    }
    mine.finite = doubt == doubt;
    const Above sum = sum_above(mine, scratch, scratch_value);
    if (threadIdx.x == 0) parts[blockIdx.x] = sum;
}

__global__ void __launch_bounds__(kThreads)
above_of_maps(Shape shape, const Above* parts, float* points, int32_t* count, float* confidence) {
    __shared__ long long scratch[kWarpsAtMost];
    __shared__ double scratch_value[kWarpsAtMost];
    const size_t map = blockIdx.x;
    Above mine = {0, 0, 0, 0, 0.0, 1};
    for (int part = static_cast<int>(threadIdx.x); part < shape.parts; part += kThreads) {
        const Above& other = parts[map * static_cast<size_t>(shape.parts) + static_cast<size_t>(part)];
        mine = {mine.count + other.count, mine.x + other.x,         mine.y + other.y,
                mine.z + other.z,         mine.value + other.value, mine.finite & other.finite};
    }
    const Above sum = sum_above(mine, scratch, scratch_value);
    float* const point = points + map * static_cast<size_t>(shape.axes);
    if (!sum.finite || sum.count == 0) {
        write_nan(point, shape.axes);
        if (threadIdx.x == 0) {
            count[map] = 0;
            confidence[map] = 0.0f;
        }
        return;
    }
    if (threadIdx.x != 0) return;
    const double n = static_cast<double>(sum.count);
    write_point(static_cast<double>(sum.x) / n, static_cast<double>(sum.y) / n, static_cast<double>(sum.z) / n,
                shape.axes, point);
    count[map] = static_cast<int32_t>(sum.count);
    confidence[map] = static_cast<float>(sum.value / n);
}

}  // namespace
}  // namespace spinert::cuda
