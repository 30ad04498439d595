// DBSCAN with all distances of a group: a thread for each point compares it with all points of its group. Meant for the
// few dozen points of a landmark, and for groups of up to some 10,000 points; the time of larger ones grows with the
// square of their number.
#include "block.cuh"
#include "clusters.h"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 256;

struct Range {
    int begin, end;
};

// The points of a group, none where offsets do not ascend from 0 to n.
__device__ Range range_of_group(const PointGroups& groups, size_t group) {
    const int64_t begin = groups.offsets[group], end = groups.offsets[group + 1];
    if (begin < 0 || end < begin || end > groups.n) return {0, 0};
    return {static_cast<int>(begin), static_cast<int>(end)};
}

// The group of point i: the last that begins at or before it.
__device__ Range range_of_point(const PointGroups& groups, int i) {
    size_t low = 0, high = groups.groups;
    while (high - low > 1) {
        const size_t middle = (low + high) / 2;
        if (groups.offsets[middle] <= i) {
            low = middle;
        } else {
            high = middle;
        }
    }
    const Range range = range_of_group(groups, low);
    return range.begin <= i && i < range.end ? range : Range{i, i};
}

__device__ bool is_near(const double* points, int i, int j, double limit) {
    const size_t a = 2 * static_cast<size_t>(i), b = 2 * static_cast<size_t>(j);
    const double dx = points[b] - points[a], dy = points[b + 1] - points[a + 1];
    return dx * dx + dy * dy <= limit;
}

// labels: each core point to itself, the others to noise.
__global__ void __launch_bounds__(kThreads)
find_core_points(PointGroups groups, double limit, int64_t min_samples, int* labels) {
    for_each_of_grid(static_cast<size_t>(groups.n), [&](size_t point) {
        const int i = static_cast<int>(point);
        const Range range = range_of_point(groups, i);
        int64_t near = 0;
#pragma unroll 4
        for (int j = range.begin; j < range.end; ++j) near += is_near(groups.points, i, j, limit) ? 1 : 0;
        labels[i] = near >= min_samples ? i : -1;
    });
}

__device__ int find_root(const volatile int* parents, int i) {
    for (int parent = parents[i]; parent != i; parent = parents[i]) i = parent;
    return i;
}

// Puts two trees under the lower root, whichever thread comes first: at the end a root is the first point of its tree.
__device__ void join(int* parents, int a, int b) {
    for (;;) {
        a = find_root(parents, a);
        b = find_root(parents, b);
        if (a == b) return;
        const int low = min(a, b), high = max(a, b);
        if (atomicCAS(parents + high, high, low) == high) return;
    }
}

// labels of core points: a core point of the same cluster that comes before it, or itself.
__global__ void __launch_bounds__(kThreads) join_core_points(PointGroups groups, double limit, int* labels) {
    for_each_of_grid(static_cast<size_t>(groups.n), [&](size_t point) {
        const int i = static_cast<int>(point);
        const volatile int* const parents = labels;
        if (parents[i] < 0) return;
        const Range range = range_of_point(groups, i);
        for (int j = range.begin; j < i; ++j) {
            if (is_near(groups.points, i, j, limit) && parents[j] >= 0) join(labels, i, j);
        }
    });
}

// A block for each group: the clusters in the order of their first core points.
__global__ void __launch_bounds__(kThreads) number_clusters(PointGroups groups, const int* labels, int* clusters) {
    __shared__ int scratch[kWarpsAtMost];
    for (size_t group = blockIdx.x; group < groups.groups; group += gridDim.x) {
        const Range range = range_of_group(groups, group);
        int known = 0;
        for (int first = range.begin; first < range.end; first += kThreads) {
            const int i = first + static_cast<int>(threadIdx.x);
            const bool root = i < range.end && labels[i] == i;
            const Scanned<int> scanned = scan_block(root ? 1 : 0, scratch);
            if (root) clusters[i] = known + scanned.before;
            known += scanned.total;
        }
    }
}

// clusters of core points; -1 for the others.
__global__ void __launch_bounds__(kThreads)
label_core_points(int n, const int* labels, const int* roots, int* clusters) {
    for_each_of_grid(static_cast<size_t>(n), [&](size_t i) {
        clusters[i] = labels[i] < 0 ? -1 : roots[find_root(labels, static_cast<int>(i))];
    });
}

// A point that is no core point belongs to the lowest cluster that has a core point within eps.
__global__ void __launch_bounds__(kThreads)
label_all_points(PointGroups groups, double limit, const int* clusters, int* labels) {
    for_each_of_grid(static_cast<size_t>(groups.n), [&](size_t point) {
        const int i = static_cast<int>(point);
        int lowest = clusters[i];
        if (lowest < 0) {
            const Range range = range_of_point(groups, i);
            for (int j = range.begin; j < range.end; ++j) {
                const int cluster = clusters[j];
                const bool lower = cluster >= 0 && (lowest < 0 || cluster < lowest);
                if (lower && is_near(groups.points, i, j, limit)) lowest = cluster;
            }
        }
        labels[i] = lowest;
    });
}

}  // namespace

void dbscan(const PointGroups& groups, double eps, int64_t min_samples, int32_t* labels, Stream& stream) {
    const double limit = eps * eps;
    const size_t n = static_cast<size_t>(groups.n);
    int* const roots = static_cast<int*>(stream.scratch(2 * n * sizeof(int)));
    int* const clusters = roots + n;
    const Grid points = {dim3(blocks_for(n, kThreads)), dim3(kThreads)};
    const Grid per_group = {dim3(blocks_for(groups.groups, 1)), dim3(kThreads)};
    launch("dbscan", {n}, find_core_points, points, stream, groups, limit, min_samples, labels);
    launch("dbscan", {n}, join_core_points, points, stream, groups, limit, labels);
    launch("dbscan", {n}, number_clusters, per_group, stream, groups, labels, roots);
    launch("dbscan", {n}, label_core_points, points, stream, groups.n, labels, roots, clusters);
    launch("dbscan", {n}, label_all_points, points, stream, groups, limit, clusters, labels);
}

}  // namespace spinert::cuda
