// Heat-maps to points: soft-argmax with confidence, and the highest cell with a parabola step. One block for each map.
#include "heatmaps.h"

#include "../math/exponential.h"
#include "../math/parabola.h"
#include "block.cuh"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 512;
constexpr float kLowest = -3.402823466e38f;

// Cells this far below the highest weigh less than e**-30 = 1e-13 of it: 3e-9 for all 32768 cells of a 256x128 map,
// under the rounding of a float.
constexpr float kNegligible = 30.0f;

__device__ float not_a_number() { return float_of_bits(0x7fc00000); }

struct Scan {
    Highest<float> top;
    bool finite;  // the whole map
};

__device__ Scan scan_map(const float* map, int cells, Highest<float>* scratch) {
    Highest<float> top = {kLowest, 0x7fffffff};
    float doubt = 0.0f;  // v - v is 0 for a finite value and nan for another; a sum keeps a nan
#pragma unroll 4
    for (int i = static_cast<int>(threadIdx.x); i < cells; i += kThreads) {
        const float v = __ldg(map + i);
        doubt += v - v;
        if (v > top.value || (v == top.value && top.index == 0x7fffffff)) top = {v, i};
    }
    const bool finite = !__syncthreads_or(doubt != doubt);
    return {highest_of_block(top, kLowest, scratch), finite};
}

// Sums of e ** (v - top) over cells, plain and times their place.
struct Moments {
    double mass, x, y;
};

struct Box {
    int top, left, bottom, right;  // the last two lie outside
};

// This thread's share of a box: the rows are dealt to the warps, a row's cells to the lanes. A run of cells is summed
// in float, its columns counted from the run's first, so that the double additions, slow on most devices, are few and
// the float ones exact enough.
__device__ Moments moments_of(const float* map, int width, const Box& box, float top) {
    constexpr int kRun = 8;
    Moments sums = {0.0, 0.0, 0.0};
    for (int y = box.top + warp_of_thread(); y < box.bottom; y += kThreads / kWarp) {
        const float* row = map + static_cast<size_t>(y) * static_cast<size_t>(width);
        for (int first = box.left + lane_of_thread(); first < box.right; first += kRun * kWarp) {
            float mass = 0.0f, steps = 0.0f;
            bool counts = false;
#pragma unroll
            for (int i = 0; i < kRun; ++i) {
                const int x = first + i * kWarp;
                const float below = x < box.right ? __ldg(row + x) - top : -2.0f * kNegligible;
                counts |= below > -kNegligible;
                const float e = x < box.right ? exp_of_nonpositive(below) : 0.0f;
                mass += e;
                steps += e * static_cast<float>(i);
            }
            if (!counts) continue;
            sums.mass += mass;
            sums.x += static_cast<double>(mass) * first + static_cast<double>(steps) * kWarp;
            sums.y += static_cast<double>(mass) * y;
        }
    }
    return sums;
}

__global__ void __launch_bounds__(kThreads)
soft_argmax_of_map(const float* maps, int height, int width, int radius, float* xy, float* confidence) {
    __shared__ Highest<float> highest[kWarpsAtMost];
    __shared__ double sums[kWarpsAtMost];
    const int cells = height * width;
    const size_t i = blockIdx.x;
    const float* map = maps + i * static_cast<size_t>(cells);
    const Scan scan = scan_map(map, cells, highest);
    if (!scan.finite) {
        if (threadIdx.x == 0) {
            xy[2 * i] = xy[2 * i + 1] = not_a_number();
            confidence[i] = 0.0f;
        }
        return;
    }
    const int top_y = scan.top.index / width, top_x = scan.top.index % width;
    const Box all = {0, 0, height, width};
    const Box near = {max(0, top_y - radius), max(0, top_x - radius), min(height, top_y + radius + 1),
                      min(width, top_x + radius + 1)};
    const Moments mine = moments_of(map, width, all, scan.top.value);
    const double mass = sum_of_block(mine.mass, sums);
    const double x = sum_of_block(mine.x, sums), y = sum_of_block(mine.y, sums);
    const double close = sum_of_block(moments_of(map, width, near, scan.top.value).mass, sums);
    if (threadIdx.x == 0) {
        xy[2 * i] = static_cast<float>(x / mass);
        xy[2 * i + 1] = static_cast<float>(y / mass);
        confidence[i] = static_cast<float>(close < mass ? close / mass : 1.0);
    }
}

__global__ void __launch_bounds__(kThreads)
peak_of_map(const float* maps, int height, int width, float* xy, float* value) {
    __shared__ Highest<float> highest[kWarpsAtMost];
    const int cells = height * width;
    const size_t i = blockIdx.x;
    const float* map = maps + i * static_cast<size_t>(cells);
    const Scan scan = scan_map(map, cells, highest);
    if (threadIdx.x != 0) return;
    if (!scan.finite) {
        xy[2 * i] = xy[2 * i + 1] = value[i] = not_a_number();
        return;
    }
    const int y = scan.top.index / width, x = scan.top.index % width;
    const float* cell = map + scan.top.index;
    const double step_x = x > 0 && x < width - 1 ? parabola_step(cell[-1], cell[0], cell[1]) : 0.0;
    const double step_y = y > 0 && y < height - 1 ? parabola_step(cell[-width], cell[0], cell[width]) : 0.0;
    xy[2 * i] = static_cast<float>(x + step_x);
    xy[2 * i + 1] = static_cast<float>(y + step_y);
    value[i] = scan.top.value;
}

}  // namespace

void soft_argmax(const Maps& maps, int radius, float* xy, float* confidence, const Stream& stream) {
    launch("soft_argmax", {maps.n, maps.height, maps.width}, soft_argmax_of_map,
           {dim3(static_cast<unsigned>(maps.n)), dim3(kThreads)}, stream, maps.values, maps.height, maps.width, radius,
           xy, confidence);
}

void peak(const Maps& maps, float* xy, float* value, const Stream& stream) {
    launch("peak", {maps.n, maps.height, maps.width}, peak_of_map,
           {dim3(static_cast<unsigned>(maps.n)), dim3(kThreads)}, stream, maps.values, maps.height, maps.width, xy,
           value);
}

}  // namespace spinert::cuda
