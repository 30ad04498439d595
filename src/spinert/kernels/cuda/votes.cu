// The Gaussian mean of the voxels round a point and the class that most slices of a vertebra see: one block for each.
#include "votes.h"

#include "../math/ballot.h"
#include "../math/cube.h"
#include "block.cuh"
#include "groups.cuh"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 128;

__global__ void __launch_bounds__(kThreads)
mean_near_point(FloatVolume volume, const double* centres, Neighbourhood near, double* means) {
    __shared__ double scratch[kWarpsAtMost];
    double* weights[3] = {dynamic_shared<double>(), nullptr, nullptr};  // of the axes, one after the other
    const double* const centre = centres + 3 * static_cast<size_t>(blockIdx.x);
    AxisRange range[3];
    double all_weights = 1.0;
    for (int axis = 0; axis < 3; ++axis) {
        range[axis] = axis_range(centre[axis], near.cube, volume.shape[axis]);
        if (axis > 0) weights[axis] = weights[axis - 1] + range[axis - 1].count;
        double sum = 0.0;
        for (int64_t i = threadIdx.x; i < range[axis].count; i += kThreads) {
            weights[axis][i] = gaussian_weight(range[axis], centre[axis], near.sigma, range[axis].first + i);
            sum += weights[axis][i];
        }
        all_weights *= sum_of_block(sum, scratch);  // a barrier, too: the weights are there
    }
    double sum = 0.0;
    const int64_t lines = range[0].count * range[1].count;
    for (int64_t line = warp_of_thread(); line < lines; line += kThreads / kWarp) {
        const int64_t z = line / range[1].count, y = line % range[1].count;
        const float* const row =
            volume.values + ((range[0].first + z) * volume.shape[1] + range[1].first + y) * volume.shape[2] +
            range[2].first;
        const double weight = weights[0][z] * weights[1][y];
        for (int64_t x = lane_of_thread(); x < range[2].count; x += kWarp) {
            sum += static_cast<double>(__ldg(row + x)) * (weights[2][x] * weight);
        }
    }
    sum = sum_of_block(sum, scratch);
    if (threadIdx.x == 0) means[blockIdx.x] = all_weights > 0.0 ? sum / all_weights : not_a_number();
}

__global__ void __launch_bounds__(kThreads) vote_of_vertebra(SliceVotes votes, Groups groups) {
    const Group group = group_at(groups, blockIdx.x);
    int32_t* const counts = votes.counts + blockIdx.x * votes.classes;
    for (size_t k = threadIdx.x; k < votes.classes; k += kThreads) counts[k] = 0;
    __syncthreads();
    for (size_t slice = threadIdx.x; slice < group.size; slice += kThreads) {
        const int64_t label = class_of(votes.probabilities + (group.first + slice) * votes.classes, votes.classes);
        if (label >= 0) atomicAdd(counts + label, 1);
    }
    __syncthreads();
    if (threadIdx.x == 0) votes.labels[blockIdx.x] = winner(counts, votes.classes, votes.threshold);
}

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

}  // namespace

void gaussian_mean(const FloatVolume& volume, const double* centres, size_t n, const Neighbourhood& near, double* means,
                   const Stream& stream) {
    int64_t weights = 0;
    for (const int64_t size : volume.shape) weights += smaller(size, near.cube);
    launch("gaussian_mean", {n, near.cube, near.cube, near.cube}, mean_near_point,
           {dim3(static_cast<unsigned>(n)), dim3(kThreads), static_cast<size_t>(weights) * sizeof(double)}, stream,
           volume, centres, near, means);
}

void vertebra_votes(const SliceVotes& votes, const Groups& groups, const Stream& stream) {
    launch("vertebra_votes", {groups.count, groups.values, votes.classes}, vote_of_vertebra,
           {dim3(static_cast<unsigned>(groups.count)), dim3(kThreads)}, stream, votes, groups);
}

}  // namespace spinert::cuda
