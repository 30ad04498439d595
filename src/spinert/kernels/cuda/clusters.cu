// K-means of one set of points and outliers of one row: small work, one block. DBSCAN is in dbscan.cu.
#include "clusters.h"

#include "block.cuh"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 512;

__device__ double infinity() { return __longlong_as_double(0x7ff0000000000000); }

template <int kAxes>
__device__ double squared_distance(const double* a, const double* b) {
    double sum = 0.0;
    for (int axis = 0; axis < kAxes; ++axis) sum += (a[axis] - b[axis]) * (a[axis] - b[axis]);
    return sum;
}

// The sum of the points that `counts(i)` selects, in the order of the points as on the CPU, and how many they are.
template <int kAxes, class Counts>
__device__ double sum_points(const KMeansJob& job, const Counts& counts, double* sum) {
    double count = 0.0;
    for (int axis = 0; axis < kAxes; ++axis) sum[axis] = 0.0;
    for (int i = 0; i < job.n; ++i) {
        if (!counts(i)) continue;
        count += 1.0;
        for (int axis = 0; axis < kAxes; ++axis) sum[axis] += job.points[static_cast<size_t>(i) * kAxes + axis];
    }
    return count;
}

template <int kAxes>
__device__ void seed_centres(const KMeansJob& job, double* gaps, Highest<double>* scratch) {
    __shared__ double mean[kAxes];
    if (threadIdx.x == 0) {
        sum_points<kAxes>(job, [](int) { return true; }, mean);
        for (int axis = 0; axis < kAxes; ++axis) mean[axis] /= static_cast<double>(job.n);
    }
    __syncthreads();
    const double* centre = mean;
    for (int k = 0; k < job.k; ++k) {
        Highest<double> farthest = {-1.0, 0x7fffffff};
        for (int i = static_cast<int>(threadIdx.x); i < job.n; i += kThreads) {
            const double gap = squared_distance<kAxes>(job.points + static_cast<size_t>(i) * kAxes, centre);
            if (k < 2 || gap < gaps[i]) gaps[i] = gap;  // the gap from the mean does not count
            if (gaps[i] > farthest.value) farthest = {gaps[i], i};
        }
        farthest = highest_of_block(farthest, -1.0, scratch);
        const int found = farthest.index < job.n ? farthest.index : 0;  // nan is never the highest
        double* const next = job.centres + static_cast<size_t>(k) * kAxes;
        if (threadIdx.x < kAxes) next[threadIdx.x] = job.points[static_cast<size_t>(found) * kAxes + threadIdx.x];
        __syncthreads();
        centre = next;
    }
}

template <int kAxes>
__device__ void label_nearest(const KMeansJob& job) {
    for (int i = static_cast<int>(threadIdx.x); i < job.n; i += kThreads) {
        const double* const point = job.points + static_cast<size_t>(i) * kAxes;
        double least = squared_distance<kAxes>(point, job.centres);
        int nearest = 0;
        for (int k = 1; k < job.k; ++k) {
            const double gap = squared_distance<kAxes>(point, job.centres + static_cast<size_t>(k) * kAxes);
            if (gap < least) {
                least = gap;
                nearest = k;
            }
        }
        job.labels[i] = nearest;
    }
    __syncthreads();
}

// A centre for each thread. Returns the largest squared step.
template <int kAxes>
__device__ double move_centres(const KMeansJob& job, double* scratch) {
    double longest = 0.0;
    for (int k = static_cast<int>(threadIdx.x); k < job.k; k += kThreads) {
        double mean[kAxes];
        const double count = sum_points<kAxes>(job, [&](int i) { return job.labels[i] == k; }, mean);
        if (count == 0.0) continue;
        double* const centre = job.centres + static_cast<size_t>(k) * kAxes;
        for (int axis = 0; axis < kAxes; ++axis) mean[axis] /= count;
        const double step = squared_distance<kAxes>(mean, centre);
        longest = step > longest ? step : longest;
        for (int axis = 0; axis < kAxes; ++axis) centre[axis] = mean[axis];
    }
    return reduce_block(longest, 0.0, [](double a, double b) { return a < b ? b : a; }, scratch);
}

template <int kAxes>
__global__ void __launch_bounds__(kThreads) kmeans_of_points(KMeansJob job, double* gaps) {
    __shared__ Highest<double> highest[kWarpsAtMost];
    __shared__ double steps[kWarpsAtMost];
    seed_centres<kAxes>(job, gaps, highest);
    for (int iteration = 0; iteration < job.max_iterations; ++iteration) {
        label_nearest<kAxes>(job);
        if (move_centres<kAxes>(job, steps) <= job.tolerance * job.tolerance) break;
    }
    label_nearest<kAxes>(job);
}

// Which gap is the median is found by counting those below it: rows are short.
__global__ void __launch_bounds__(kThreads)
outliers_of_row(const double* places, int n, double ratio, double* gaps, uint8_t* outliers) {
    __shared__ double lower, upper;
    const int count = n - 1;
    bool doubt = false;
    for (int i = static_cast<int>(threadIdx.x); i < n; i += kThreads) {
        doubt = doubt || !(places[i] - places[i] == 0.0);
        if (i < count) gaps[i] = fabs(places[i + 1] - places[i]);
    }
    const bool compare = !__syncthreads_or(doubt) && n >= 3;  // a single gap has no other to be compared with
    for (int i = static_cast<int>(threadIdx.x); compare && i < count; i += kThreads) {
        int before = 0;
        for (int j = 0; j < count; ++j) before += gaps[j] < gaps[i] || (gaps[j] == gaps[i] && j < i) ? 1 : 0;
        if (before == (count - 1) / 2) lower = gaps[i];
        if (before == count / 2) upper = gaps[i];
    }
    __syncthreads();
    const double widest = compare ? ratio * (0.5 * lower + 0.5 * upper) : infinity();
    for (int i = static_cast<int>(threadIdx.x); i < n; i += kThreads) {
        const bool far_before = i == 0 || gaps[i - 1] > widest, far_behind = i == count || gaps[i] > widest;
        outliers[i] = compare && far_before && far_behind ? 1 : 0;
    }
}

}  // namespace

void kmeans(const KMeansJob& job, int axes, Stream& stream) {
    double* const gaps = static_cast<double*>(stream.scratch(static_cast<size_t>(job.n) * sizeof(double)));
    launch("kmeans", {job.n, axes}, axes == 1 ? kmeans_of_points<1> : kmeans_of_points<2>, {dim3(1), dim3(kThreads)},
           stream, job, gaps);
}

void gap_outliers(const double* places, int n, double ratio, double* gaps, uint8_t* outliers, const Stream& stream) {
    launch("gap_outliers", {n}, outliers_of_row, {dim3(n > 0 ? 1 : 0), dim3(kThreads)}, stream, places, n, ratio, gaps,
           outliers);
}

}  // namespace spinert::cuda
