// Connected voxels, united in the labels themselves: a label is the index of an earlier voxel of the same component,
// or of the voxel itself; -1 for background. After all unions the root of a component is its first voxel.
#pragma once

#include "block.cuh"

namespace spinert::cuda {

constexpr int32_t kBackground = -1;

// Voxels with 0 around them. All that is not 0 is alike in a mask.
template <bool kClasses>
struct Grid3 {
    const uint8_t* values;
    int slices, rows, columns;

    __device__ int at(int z, int y, int x) const {
        if (z < 0 || y < 0 || x < 0 || y >= rows || x >= columns) return 0;
        const int value = __ldg(values + (static_cast<size_t>(z) * rows + y) * columns + x);
        return kClasses ? value : value != 0;
    }
    __device__ int index(int z, int y, int x) const { return (z * rows + y) * columns + x; }
};

__device__ inline int32_t root_of(const int32_t* labels, int32_t i) {
    // other threads write here meanwhile, parents that come earlier: a stale one is still of the same component
    const volatile int32_t* parents = labels;
    for (int32_t parent = parents[i]; parent != i; parent = parents[i]) i = parent;
    return i;
}

// The order in which threads come here changes the way to the result only: the lowest index remains root.
__device__ inline void unite(int32_t* labels, int32_t a, int32_t b) {
    for (;;) {
        a = root_of(labels, a);
        b = root_of(labels, b);
        if (a == b) return;
        const int32_t low = min(a, b), high = max(a, b);
        const int32_t was = atomicMin(labels + high, low);
        if (was == high) return;
        a = was;  // another thread was here before: what it put there is to be united as well
        b = low;
    }
}

// Whether a voxel equals those of another row: at its place, before it, after it.
struct Equal {
    bool here, before, after;

    __device__ bool any() const { return here || before || after; }
};
template <bool kClasses>
__device__ Equal equal_to(const Grid3<kClasses>& grid, int value, int z, int y, int x) {
    return {grid.at(z, y, x) == value, grid.at(z, y, x - 1) == value, grid.at(z, y, x + 1) == value};
}

// A foreground voxel; `starts` and `ends`: the first and last of a run of equal ones in its row.
struct Voxel {
    int32_t* labels;
    int index, value;
    bool starts, ends;

    // Unites the pairs of runs of this row and another that begin to touch here. `there` is the index of the other
    // row's voxel; `known` are equal voxels of a third row, which connect both.
    template <bool kCorners>
    __device__ void connect(int there, const Equal& equal, const Equal& known) const {
        if (equal.here) {
            if ((starts || !equal.before) && !known.any()) unite(labels, index, there);
            return;
        }
        if (!kCorners) return;
        if (equal.before && starts && !known.here && !known.before) unite(labels, index, there - 1);
        if (equal.after && ends && !known.here && !known.after) unite(labels, index, there + 1);
    }
};

// Each voxel's label is where its run starts, within a stretch of 32 columns. A warp for each stretch.
template <bool kClasses>
__global__ void start_labels(Grid3<kClasses> grid, int stretches, int all_stretches, int32_t* labels) {
    for_each_of_warps(all_stretches, [&](int i) {
        const int row = i / stretches, x = i % stretches * kWarp + lane_of_thread();
        const int z = row / grid.rows, y = row % grid.rows;
        const int value = grid.at(z, y, x);
        const bool starts = lane_of_thread() == 0 || grid.at(z, y, x - 1) != value;
        const unsigned so_far = __ballot_sync(kAllLanes, starts) & ((2u << lane_of_thread()) - 1u);
        const int first = kWarp - 1 - __clz(static_cast<int>(so_far));
        if (x < grid.columns) {
            labels[grid.index(z, y, x)] = value ? grid.index(z, y, x) - lane_of_thread() + first : kBackground;
        }
    });
}

// Unions of each voxel's run with those before it, in the order of the CPU's kernel.
template <bool kClasses, bool kCorners>
__global__ void connect_runs(Grid3<kClasses> grid, int voxels, int32_t* labels) {
    for_each_of_grid(static_cast<unsigned>(voxels), [&](unsigned i) {
        const int index = static_cast<int>(i), row = index / grid.columns, x = index % grid.columns;
        const int z = row / grid.rows, y = row % grid.rows;
        const int value = grid.at(z, y, x);
        if (value == 0) return;
        const bool starts = grid.at(z, y, x - 1) != value;
        if (!starts && x % kWarp == 0) unite(labels, index, index - 1);
        const Voxel voxel = {labels, index, value, starts, grid.at(z, y, x + 1) != value};
        const int in_row = grid.columns, in_slice = grid.rows * grid.columns;
        const Equal none = {false, false, false};
        const Equal at = equal_to(grid, value, z - 1, y, x), above = equal_to(grid, value, z, y - 1, x);
        const Equal at_above = equal_to(grid, value, z - 1, y - 1, x);
        voxel.connect<kCorners>(index - in_slice, at, none);
        if (kCorners) {
            voxel.connect<kCorners>(index - in_row, above, at);
            voxel.connect<kCorners>(index - in_slice + in_row, equal_to(grid, value, z - 1, y + 1, x), at);
            const Equal known = {at.here || above.here, at.before || above.before, at.after || above.after};
            voxel.connect<kCorners>(index - in_slice - in_row, at_above, known);
        } else {
            voxel.connect<kCorners>(index - in_row, above, {at.here && at_above.here, false, false});
        }
    });
}

static __global__ void flatten_labels(int voxels, int32_t* labels) {
    for_each_of_grid(static_cast<unsigned>(voxels), [&](unsigned i) {
        if (labels[i] != kBackground) labels[i] = root_of(labels, static_cast<int32_t>(i));
    });
}

}  // namespace spinert::cuda
