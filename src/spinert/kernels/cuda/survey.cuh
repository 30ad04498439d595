// The first look at heat-maps: each map is cut into parts of the same number of cells, a block for each part finds its
// highest cell. The parts do not depend on the device, so neither do sums over them.
#pragma once

#include <cstddef>

#include "../math/both.h"
#include "block.cuh"
#include "heatmaps.h"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kPart = 16 * kThreads;  // cells

struct Shape {
    int depth, height, width, axes;
    int cells, parts;  // of a map
};

inline Shape shape_of(const Maps& maps) {
    const int cells = maps.depth * maps.height * maps.width;
    return {maps.depth, maps.height, maps.width, maps.axes, cells, (cells + kPart - 1) / kPart};
}

// One block for each part of each map.
inline Grid grid_of_parts(const Maps& maps) {
    return {dim3(static_cast<unsigned>(maps.n * static_cast<size_t>(shape_of(maps).parts))), dim3(kThreads)};
}

inline Grid grid_of_maps(const Maps& maps) { return {dim3(static_cast<unsigned>(maps.n)), dim3(kThreads)}; }

struct Cell {
    int x, y, z;
};

__device__ inline Cell cell_at(int index, const Shape& shape) {
    const int line = index / shape.width;
    return {index % shape.width, line % shape.height, line / shape.height};
}

// The cells of a part, a thread at a time: each goes on by as many cells as there are threads, without a division.
struct Walk {
    Cell at, step;
    int index, end;

    __device__ Walk(const Shape& shape, int part)
        : at(cell_at(part * kPart + static_cast<int>(threadIdx.x), shape)),
          step(cell_at(kThreads, shape)),
          index(part * kPart + static_cast<int>(threadIdx.x)),
          end(min(shape.cells, (part + 1) * kPart)) {}

    __device__ bool inside() const { return index < end; }
    __device__ void go_on(const Shape& shape) {
        index += kThreads;
        at.x += step.x;
        at.y += step.y;
        at.z += step.z;
        if (at.x >= shape.width) {
            at.x -= shape.width;
            ++at.y;
        }
        if (at.y >= shape.height) {
            at.y -= shape.height;
            ++at.z;
        }
    }
};

__device__ inline float not_a_number() { return float_of_bits(0x7fc00000); }
__device__ inline float lowest() { return __int_as_float(static_cast<int>(0xff800000u)); }  // -inf

__device__ inline void write_nan(float* values, int count) {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += kThreads) values[i] = not_a_number();
}

__device__ inline void write_point(double x, double y, double z, int axes, float* point) {
    point[0] = static_cast<float>(x);
    point[1] = static_cast<float>(y);
    if (axes == 3) point[2] = static_cast<float>(z);
}

// Of a part, or of a map.
struct Top {
    Highest<float> cell;
    int finite;  // all values are
};

// tops [n, parts]
__global__ void __launch_bounds__(kThreads) survey_parts(const float* maps, Shape shape, Top* tops) {
    __shared__ Highest<float> scratch[kWarpsAtMost];
    const size_t map = blockIdx.x / static_cast<unsigned>(shape.parts);
    const int part = static_cast<int>(blockIdx.x % static_cast<unsigned>(shape.parts));
    const float* const values = maps + map * static_cast<size_t>(shape.cells);
    const int end = min(shape.cells, (part + 1) * kPart);
    Highest<float> top = {lowest(), 0x7fffffff};
    float doubt = 0.0f;  // v - v is 0 for a finite value and nan for another; a sum keeps a nan
#pragma unroll 4
    for (int i = part * kPart + static_cast<int>(threadIdx.x); i < end; i += kThreads) {
        const float v = __ldg(values + i);
        doubt += v - v;
        if (v > top.value) top = {v, i};
    }
    const int finite = !__syncthreads_or(doubt != doubt);
    top = highest_of_block(top, lowest(), scratch);
    if (threadIdx.x == 0) tops[blockIdx.x] = {top, finite};
}

// Of the block's map, by all threads of the block.
__device__ inline Top top_of_map(const Top* tops, const Shape& shape, Highest<float>* scratch) {
    Highest<float> top = {lowest(), 0x7fffffff};
    int finite = 1;
    for (int part = static_cast<int>(threadIdx.x); part < shape.parts; part += kThreads) {
        top = higher(top, tops[part].cell);
        finite &= tops[part].finite;
    }
    finite = !__syncthreads_or(!finite);
    return {highest_of_block(top, lowest(), scratch), finite};
}

inline void survey(const char* name, const Maps& maps, Top* tops, const Stream& stream) {
    launch(name, {maps.n, maps.depth, maps.height, maps.width}, survey_parts, grid_of_parts(maps), stream, maps.values,
           shape_of(maps), tops);
}

}  // namespace
}  // namespace spinert::cuda
