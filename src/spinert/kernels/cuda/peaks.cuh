// The highest cell, and the highest peaks some distance apart.
#pragma once

#include "../math/parabola.h"
#include "scratch.h"
#include "survey.cuh"

namespace spinert::cuda {
namespace {

__device__ double refined(const float* cell, int place, int length, int step) {
    if (place == 0 || place == length - 1) return place;
    return place + parabola_step(cell[-step], cell[0], cell[step]);
}

__device__ void write_refined(const float* map, const Shape& shape, int index, float* point) {
    const Cell at = cell_at(index, shape);
    const float* const cell = map + index;
    write_point(refined(cell, at.x, shape.width, 1), refined(cell, at.y, shape.height, shape.width),
                refined(cell, at.z, shape.depth, shape.height * shape.width), shape.axes, point);
}

__global__ void __launch_bounds__(kThreads)
peak_of_map(const float* maps, Shape shape, const Top* tops, float* points, float* value) {
    __shared__ Highest<float> scratch[kWarpsAtMost];
    const size_t map = blockIdx.x;
    const float* const values = maps + map * static_cast<size_t>(shape.cells);
    const Top top = top_of_map(tops + map * static_cast<size_t>(shape.parts), shape, scratch);
    float* const point = points + map * static_cast<size_t>(shape.axes);
    if (!top.finite) {
        write_nan(point, shape.axes);
        write_nan(value + map, 1);
    } else if (threadIdx.x == 0) {
        write_refined(values, shape, top.cell.index, point);
        value[map] = values[top.cell.index];
    }
}

// A cell that no neighbour exceeds and no neighbour before it equals.
__device__ bool is_peak(const float* map, const Shape& shape, int index) {
    const Cell at = cell_at(index, shape);
    const float v = map[index];
    for (int dz = -1; dz <= 1; ++dz) {
        for (int dy = -1; dy <= 1; ++dy) {
            for (int dx = -1; dx <= 1; ++dx) {
                const int x = at.x + dx, y = at.y + dy, z = at.z + dz;
                const int offset = (dz * shape.height + dy) * shape.width + dx;
                if (x < 0 || x >= shape.width || y < 0 || y >= shape.height || z < 0 || z >= shape.depth) continue;
                const bool before = dz < 0 || (dz == 0 && (dy < 0 || (dy == 0 && dx < 0)));
                const bool itself = dx == 0 && dy == 0 && dz == 0;
                if (before ? map[index + offset] >= v : !itself && map[index + offset] > v) return false;
            }
        }
    }
    return true;
}

__device__ bool too_near(int index, const int32_t* taken, int count, const Shape& shape, double min_distance) {
    const Cell a = cell_at(index, shape);
    for (int i = 0; i < count; ++i) {
        const Cell b = cell_at(taken[i], shape);
        const double dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
        if (dx * dx + dy * dy + dz * dz < min_distance * min_distance) return true;
    }
    return false;
}

// What a block keeps of each part of its map: `bound` is never below the best peak left in the part, and equal to it
// where `best` is that peak. So a part is looked at only when it comes to be the highest, and once more when its best
// peak turns out too near to one taken.
struct Part {
    float bound;
    int32_t best;  // -1: not known
};

__device__ Highest<float> highest_part(const Part* parts, const Shape& shape, Highest<float>* scratch) {
    Highest<float> top = {lowest(), 0x7fffffff};
    for (int part = static_cast<int>(threadIdx.x); part < shape.parts; part += kThreads) {
        top = higher(top, {parts[part].bound, part});
    }
    return highest_of_block(top, lowest(), scratch);
}

__device__ Highest<float> best_of_part(const float* map, const Shape& shape, const PeakRule& rule, int part,
                                       const int32_t* taken, int count, Highest<float>* scratch) {
    Highest<float> best = {rule.threshold, 0x7fffffff};
    const int end = min(shape.cells, (part + 1) * kPart);
    for (int i = part * kPart + static_cast<int>(threadIdx.x); i < end; i += kThreads) {
        if (map[i] > best.value && is_peak(map, shape, i) &&
            !too_near(i, taken, count, shape, rule.min_distance)) {
            best = {map[i], i};
        }
    }
    return highest_of_block(best, lowest(), scratch);
}

// One block for each map. parts [n, parts], taken [n, k]
__global__ void __launch_bounds__(kThreads)
top_peaks_of_map(const float* maps, Shape shape, PeakRule rule, const Top* tops, Part* all_parts, int32_t* all_taken,
                 float* points, float* values, int32_t* counts) {
    __shared__ Highest<float> scratch[kWarpsAtMost];
    const size_t n = blockIdx.x, k = static_cast<size_t>(rule.k), axes = static_cast<size_t>(shape.axes);
    const float* const map = maps + n * static_cast<size_t>(shape.cells);
    const Top* const own = tops + n * static_cast<size_t>(shape.parts);
    Part* const parts = all_parts + n * static_cast<size_t>(shape.parts);
    int32_t* const taken = all_taken + n * k;
    const bool finite = top_of_map(own, shape, scratch).finite;
    for (int part = static_cast<int>(threadIdx.x); part < shape.parts; part += kThreads) {
        parts[part] = {own[part].cell.value, -1};
    }
    __syncthreads();
    int count = 0;
    while (finite && count < rule.k) {
        const Highest<float> top = highest_part(parts, shape, scratch);
        if (!(top.value > rule.threshold)) break;
        const int best = parts[top.index].best;
        const bool known = best >= 0 && !too_near(best, taken, count, shape, rule.min_distance);
        Part next = {top.value, -1};
        if (!known) {
            const Highest<float> found = best_of_part(map, shape, rule, top.index, taken, count, scratch);
            const bool none = found.index == 0x7fffffff;
            next = {none ? lowest() : found.value, none ? -1 : found.index};
        } else if (threadIdx.x == 0) {
            write_refined(map, shape, best, points + (n * k + static_cast<size_t>(count)) * axes);
            values[n * k + static_cast<size_t>(count)] = map[best];
            taken[count] = best;
        }
        __syncthreads();  // everybody has read the part
        if (threadIdx.x == 0) parts[top.index] = next;
        __syncthreads();
        count += known;
    }
    write_nan(points + (n * k + static_cast<size_t>(count)) * axes, (rule.k - count) * shape.axes);
    write_nan(values + n * k + count, rule.k - count);
    if (threadIdx.x == 0) counts[n] = count;
}

}  // namespace
}  // namespace spinert::cuda
