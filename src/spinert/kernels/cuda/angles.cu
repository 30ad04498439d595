// Angles: a thread for each vertebra or angle; a warp for each spine, whose first lane makes the choices.
#include "angles.h"

#include "../math/challenge.h"
#include "../math/end_vertebrae.h"
#include "block.cuh"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) tilt_of_vertebra(const double* corners, size_t n, double* vectors) {
    for_each_of_grid(2 * n, [&](size_t i) { vectors[i] = tilt(corners + 8 * (i / 2), static_cast<int>(i % 2)); });
}

__global__ void __launch_bounds__(kThreads)
angle_of_pair(const double* vectors, size_t n, size_t m, double* degrees) {
    for_each_of_grid(n * m * m, [&](size_t i) {
        const double* const a = vectors + 2 * (i / m);  // spine by spine, row by row
        const double* const b = vectors + 2 * (i / (m * m) * m + i % m);
        degrees[i] = degrees_between(a[0], a[1], b[0], b[1]);
    });
}

__global__ void __launch_bounds__(kWarp)
challenge_angles_of_spine(const double* corners, const double* heights, double* degrees, int32_t* ends) {
    __shared__ ChallengeCosines cosines;
    __shared__ Tilt tilts[kChallengeVertebrae];
    const size_t spine = blockIdx.x;
    corners += 8 * kChallengeVertebrae * spine;
    const int lane = lane_of_thread();
    if (lane < kChallengeVertebrae) tilts[lane] = tilt_of(corners + 8 * lane);
    __syncthreads();
    for (int i = lane; i < kChallengeVertebrae * kChallengeVertebrae; i += kWarp) {
        const int row = i / kChallengeVertebrae, column = i % kChallengeVertebrae;
        cosines.steps[row][column] = cosine_steps(tilts[row], tilts[column]);
    }
    __syncthreads();
    if (lane != 0) return;
    const ChallengeAngles found = challenge_angles_of(corners, cosines, heights[spine]);
    for (int i = 0; i < 3; ++i) degrees[3 * spine + i] = found.degrees[i];
    ends[2 * spine] = found.upper;
    ends[2 * spine + 1] = found.lower;
}

// From the upper end-plate of one vertebra to the lower one of another.
__device__ double turn_from(const double* upper, const double* lower) {
    return turn_between(upper[2] - upper[0], upper[3] - upper[1], lower[6] - lower[4], lower[7] - lower[5]);
}

__global__ void __launch_bounds__(kWarp)
end_vertebrae_of_spine(const double* corners, int m, double threshold, Curves curves) {
    __shared__ double turns[kMostVertebrae][kMostVertebrae];  // [lower][upper]
    __shared__ Chains chains;
    static_assert(kMostVertebrae <= kWarp);
    const size_t spine = blockIdx.x, most = static_cast<size_t>(m) - 1;
    corners += 8 * (most + 1) * spine;
    const int lane = lane_of_thread();
    const bool fit = __all_sync(kAllLanes, lane >= m || has_end_plates(corners + 8 * lane));
    for (int lower = 1; lower < m && fit; ++lower) {
        if (lane < lower) turns[lower][lane] = turn_from(corners + 8 * lane, corners + 8 * lower);
    }
    __syncthreads();
    if (lane != 0) return;
    int32_t* const vertebrae = curves.vertebrae + 3 * most * spine;
    double* const found = curves.turns + most * spine;
    int count = -1;
    if (fit) {
        begin_chains(chains);
        for (int lower = 1; lower < m; ++lower) add_vertebra(chains, lower, turns[lower], threshold);
        count = write_curves(chains, corners, vertebrae, found);
    }
    curves.counts[spine] = count;
    write_no_curves(count < 0 ? 0 : count, m, vertebrae, found);
}

}  // namespace

void tilt_vectors(const double* corners, size_t n, double* vectors, const Stream& stream) {
    launch("tilt_vectors", {n}, tilt_of_vertebra, {dim3(blocks_for(2 * n, kThreads)), dim3(kThreads)}, stream, corners,
           n, vectors);
}

void angle_matrices(const double* vectors, size_t n, size_t m, double* degrees, const Stream& stream) {
    launch("angle_matrices", {n, m}, angle_of_pair, {dim3(blocks_for(n * m * m, kThreads)), dim3(kThreads)}, stream,
           vectors, n, m, degrees);
}

void challenge_angles(const double* corners, const double* heights, size_t n, double* degrees, int32_t* ends,
                      const Stream& stream) {
    launch("challenge_angles", {n}, challenge_angles_of_spine, {dim3(static_cast<unsigned>(n)), dim3(kWarp)}, stream,
           corners, heights, degrees, ends);
}

void end_vertebrae(const Spines& spines, double threshold, const Curves& curves, const Stream& stream) {
    launch("end_vertebrae", {spines.n, spines.m}, end_vertebrae_of_spine,
           {dim3(static_cast<unsigned>(spines.n)), dim3(kWarp)}, stream, spines.corners, spines.m, threshold, curves);
}

}  // namespace spinert::cuda
