// What component statistics are made of. Counts, boxes and moments are integers, added by atomics; stored values are
// summed box by box in a fixed order.
#pragma once

#include "block.cuh"
#include "components.h"

namespace spinert::cuda {

constexpr int kMomentThreads = 256;
constexpr int kTile = 32;  // rows that a thread walks down before it hands its sums over
constexpr int kNone = 0x7fffffff;

// Sums in the memory of the results.
struct Moments {
    int count, axes;
    unsigned long long* voxels;
    int32_t* boxes;
    unsigned long long* moments;
};

static __global__ void clear_moments(Moments to) {
    for_each_of_grid(static_cast<unsigned>(to.count), [&](unsigned i) {
        to.voxels[i] = 0;
        for (int axis = 0; axis < to.axes; ++axis) {
            to.moments[static_cast<size_t>(i) * to.axes + axis] = 0;
            int32_t* const box = to.boxes + static_cast<size_t>(i) * 2 * to.axes + axis;
            box[0] = kNone;
            box[to.axes] = 0;
        }
    });
}

// Voxels of one label: of a thread, down a column; or of a warp.
struct Patch {
    int32_t label;
    int n, x_begin, x_end, y_begin, y_end;
    long long x, y;  // sums over the voxels

    __device__ void add_to(const Moments& to, int z) const {
        const unsigned i = static_cast<unsigned>(label) - 1u;  // background lies far above count
        if (n == 0 || i >= static_cast<unsigned>(to.count)) return;
        atomicAdd(to.voxels + i, static_cast<unsigned long long>(n));
        unsigned long long* const moment = to.moments + static_cast<size_t>(i) * to.axes;
        atomicAdd(moment, static_cast<unsigned long long>(x));
        atomicAdd(moment + 1, static_cast<unsigned long long>(y));
        const long long below = static_cast<long long>(n) * z;
        if (to.axes == 3) atomicAdd(moment + 2, static_cast<unsigned long long>(below));
        int32_t* const box = to.boxes + static_cast<size_t>(i) * 2 * to.axes;
        widen(box, to.axes, x_begin, x_end);
        widen(box + 1, to.axes, y_begin, y_end);
        if (to.axes == 3) widen(box + 2, to.axes, z, z + 1);
    }

  private:
    // Most patches lie within the box as it is: looking is cheaper than writing.
    __device__ static void widen(int32_t* box, int axes, int begin, int end) {
        const volatile int32_t* now = box;
        if (begin < now[0]) atomicMin(box, begin);
        if (end > now[axes]) atomicMax(box + axes, end);
    }
};

// A warp for each tile of 32 columns and 32 rows of a slice; a thread for each column.
static __global__ void __launch_bounds__(kMomentThreads)
add_moments(const int32_t* labels, Volume volume, int tiles_across, int tiles_down, int tiles, Moments to) {
    for_each_of_warps(tiles, [&](int tile) {
        const int x = tile % tiles_across * kWarp + lane_of_thread();
        const int z = tile / tiles_across / tiles_down, top = tile / tiles_across % tiles_down * kTile;
        const int bottom = min(top + kTile, volume.rows);
        Patch patch = {0, 0, x, x + 1, top, top, 0, 0};
        for (int y = top; y < bottom && x < volume.columns; ++y) {
            const int32_t label =
                __ldg(labels + (static_cast<size_t>(z) * volume.rows + y) * volume.columns + x);
            if (label != patch.label) {
                patch.add_to(to, z);
                patch = {label, 0, x, x + 1, y, y, 0, 0};
            }
            ++patch.n;
            patch.y_end = y + 1;
            patch.x += x;
            patch.y += y;
        }
        const int32_t first = __shfl_sync(kAllLanes, patch.label, 0);
        if (__all_sync(kAllLanes, patch.label == first)) {
            const auto add = [](auto a, auto b) { return a + b; };
            const auto lower = [](int a, int b) { return min(a, b); };
            const auto upper = [](int a, int b) { return max(a, b); };
            patch = {first,
                     reduce_warp(patch.n, add),
                     reduce_warp(patch.x_begin, lower),
                     reduce_warp(patch.x_end, upper),
                     reduce_warp(patch.y_begin, lower),
                     reduce_warp(patch.y_end, upper),
                     reduce_warp(patch.x, add),
                     reduce_warp(patch.y, add)};
            if (lane_of_thread() != 0) patch.n = 0;
        }
        patch.add_to(to, z);
    });
}

// partial [count, parts]: sums over the rows of a component's box, dealt to `parts` blocks.
template <class Value, class Sum>
__global__ void __launch_bounds__(kMomentThreads)
sum_values(const int32_t* labels, const Value* values, Volume volume, Moments of, Sum* partial) {
    __shared__ Sum scratch[kWarpsAtMost];
    const size_t i = blockIdx.x;
    const unsigned part = blockIdx.y, parts = gridDim.y;
    const int32_t* const box = of.boxes + i * 2 * of.axes;
    const bool some = of.voxels[i] != 0;
    const int z_begin = of.axes == 3 ? box[2] : 0, z_end = of.axes == 3 ? box[5] : 1;
    const int high = some ? box[of.axes + 1] - box[1] : 0;
    const int rows = some ? high * (z_end - z_begin) : 0;
    const int begin = static_cast<int>(static_cast<long long>(rows) * part / parts);
    const int end = static_cast<int>(static_cast<long long>(rows) * (part + 1) / parts);
    Sum sum = 0;
    for (int row = begin + warp_of_thread(); row < end; row += warps_of_block()) {
        const size_t z = static_cast<size_t>(z_begin + row / high), y = static_cast<size_t>(box[1] + row % high);
        const size_t first = (z * volume.rows + y) * volume.columns;
        for (int x = box[0] + lane_of_thread(); x < box[of.axes]; x += kWarp) {
            if (__ldg(labels + first + x) == static_cast<int32_t>(i) + 1) sum += static_cast<Sum>(values[first + x]);
        }
    }
    sum = sum_of_block(sum, scratch);
    if (threadIdx.x == 0) partial[i * parts + part] = sum;
}

__device__ inline double mean(double sum, unsigned long long n) {
    return n ? sum / static_cast<double>(n) : __longlong_as_double(0x7ff8000000000000);
}

// Sums to means; partial [count, parts] or null.
template <class Sum>
__global__ void finish_moments(Moments of, const Sum* partial, int parts, double slope, double intercept,
                               double* centroids, double* means) {
    for_each_of_grid(static_cast<unsigned>(of.count), [&](unsigned item) {
        const size_t i = item;
        const unsigned long long n = of.voxels[i];
        for (size_t k = i * of.axes; k < (i + 1) * of.axes; ++k) {
            const unsigned long long moment = of.moments[k];  // in the place of the centroid
            centroids[k] = mean(static_cast<double>(moment), n);
        }
        for (int axis = 0; axis < of.axes && n == 0; ++axis) of.boxes[i * 2 * of.axes + axis] = 0;
        if (!partial) return;
        Sum sum = 0;
        for (int part = 0; part < parts; ++part) sum += partial[i * parts + part];
        means[i] = slope * mean(static_cast<double>(sum), n) + intercept;
    });
}

}  // namespace spinert::cuda
