// The Gaussian mean of the voxels round a point, and the class that most slices of a vertebra see.
#include "votes.h"

#include "../math/ballot.h"
#include "../math/cube.h"
#include "lanes.inl"

namespace spinert {
namespace {

// Sums of every eighth voxel of a row.
struct RowSums {
    double lane[8];

    __attribute__((always_inline)) double total() const {
        return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
    }
};

// `from` is the first voxel of the cube.
SPINERT_INLINE RowSums weighted_sums(const FloatVolume& volume, const float* from, const AxisRange (&range)[3],
                                     const double* const (&weights)[3]) {
    RowSums sums = {};
    for (int64_t z = 0; z < range[0].count; ++z) {
        for (int64_t y = 0; y < range[1].count; ++y) {
            const float* const row = from + (z * volume.shape[1] + y) * volume.shape[2];
            const double weight = weights[0][z] * weights[1][y];
            int64_t x = 0;
            for (; x + 8 <= range[2].count; x += 8) {
                for (int i = 0; i < 8; ++i) sums.lane[i] += static_cast<double>(row[x + i]) * (weights[2][x + i] * weight);
            }
            for (int i = 0; x + i < range[2].count; ++i) {
                sums.lane[i] += static_cast<double>(row[x + i]) * (weights[2][x + i] * weight);
            }
        }
    }
    return sums;
}

SPINERT_INLINE double mean_near(const FloatVolume& volume, const double* centre, Neighbourhood near, double* scratch) {
    AxisRange range[3];
    double* weights[3];
    double all_weights = 1.0;
    for (int axis = 0; axis < 3; ++axis) {
        range[axis] = axis_range(centre[axis], near.cube, volume.shape[axis]);
        if (range[axis].count == 0) return __builtin_nan("");
        weights[axis] = axis == 0 ? scratch : weights[axis - 1] + range[axis - 1].count;
        double sum = 0.0;
        for (int64_t i = 0; i < range[axis].count; ++i) {
            weights[axis][i] = gaussian_weight(range[axis], centre[axis], near.sigma, range[axis].first + i);
            sum += weights[axis][i];
        }
        all_weights *= sum;
    }
    const float* const from =
        volume.values + (range[0].first * volume.shape[1] + range[1].first) * volume.shape[2] + range[2].first;
    return weighted_sums(volume, from, range, {weights[0], weights[1], weights[2]}).total() / all_weights;
}

static void gaussian(FloatVolume volume, const double* centres, size_t n, Neighbourhood near, double* weights,
                     double* means) {
    for (size_t i = 0; i < n; ++i) means[i] = mean_near(volume, centres + 3 * i, near, weights);
}

static void vertebra(SliceVotes votes, size_t slices) {
    for (size_t k = 0; k < votes.classes; ++k) votes.counts[k] = 0;
    for (size_t slice = 0; slice < slices; ++slice) {
        const int64_t label = class_of(votes.probabilities + slice * votes.classes, votes.classes);
        if (label >= 0) ++votes.counts[label];
    }
    *votes.labels = winner(votes.counts, votes.classes, votes.threshold);
}

}  // namespace
}  // namespace spinert

namespace spinert::votes {
namespace {

constexpr Kernels kTable = {gaussian, vertebra};

}  // namespace
}  // namespace spinert::votes
