// The borders of a mask, one warp for each row, and the midpoints between them, one thread for each.
#include "midlines.h"

#include "../math/borders.h"
#include "block.cuh"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kLoads = 4;  // of a lane at once
constexpr int64_t kStretch = kLoads * kWarp;

// How many columns that are not set come before the first that is, from the left or from the right; -1 where none is.
// The whole warp looks, and every lane has the result.
__device__ int64_t find_set(const uint8_t* row, int64_t columns, bool from_right) {
    for (int64_t base = 0; base < columns; base += kStretch) {
        bool set[kLoads];
#pragma unroll
        for (int load = 0; load < kLoads; ++load) {
            const int64_t at = base + load * kWarp + lane_of_thread();
            set[load] = at < columns && __ldg(row + (from_right ? columns - 1 - at : at)) != 0;
        }
#pragma unroll
        for (int load = 0; load < kLoads; ++load) {
            const unsigned lanes = __ballot_sync(kAllLanes, set[load]);
            if (lanes != 0) return base + load * kWarp + __ffs(static_cast<int>(lanes)) - 1;
        }
    }
    return -1;
}

__global__ void __launch_bounds__(kThreads) borders_of_rows(MaskImage mask, double* midline, double* borders) {
    const size_t warps = static_cast<size_t>(gridDim.x) * (kThreads / kWarp);
    const int64_t columns = static_cast<int64_t>(mask.columns);
    size_t row = static_cast<size_t>(blockIdx.x) * (kThreads / kWarp) + static_cast<size_t>(warp_of_thread());
    for (; row < mask.rows; row += warps) {
        const uint8_t* const values = mask.values + row * mask.columns;
        const int64_t first = find_set(values, columns, false);
        const int64_t last = first < 0 ? -1 : columns - 1 - find_set(values, columns, true);
        if (lane_of_thread() != 0) continue;
        const double left = first < 0 ? not_a_number() : static_cast<double>(first);
        const double right = first < 0 ? not_a_number() : static_cast<double>(last);
        borders[2 * row] = left;
        borders[2 * row + 1] = right;
        midline[row] = 0.5 * (left + right);
    }
}

__global__ void __launch_bounds__(kThreads) midpoints_of_rows(const double* borders, size_t rows, double* midpoints) {
    for_each_of_grid(2 * rows, [&](size_t i) {
        write_midpoint(borders, static_cast<int64_t>(rows), static_cast<int64_t>(i % rows),
                       static_cast<int>(i / rows), midpoints + 2 * i);
    });
}

}  // namespace

void mask_midline(const MaskImage& mask, double* midline, double* borders, const Stream& stream) {
    launch("mask_midline", {mask.rows, mask.columns}, borders_of_rows,
           {dim3(blocks_for(mask.rows, kThreads / kWarp)), dim3(kThreads)}, stream, mask, midline, borders);
}

void border_midpoints(const double* borders, size_t rows, double* midpoints, const Stream& stream) {
    launch("border_midpoints", {rows}, midpoints_of_rows, {dim3(blocks_for(2 * rows, kThreads)), dim3(kThreads)},
           stream, borders, rows, midpoints);
}

}  // namespace spinert::cuda
