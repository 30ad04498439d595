// Votes on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include "groups.h"
#include "stream.h"

namespace spinert::cuda {

struct FloatVolume {
    const float* values;
    int64_t shape[3];
};
struct Neighbourhood {
    int64_t cube;
    double sigma;
};
void gaussian_mean(const FloatVolume& volume, const double* centres, size_t n, const Neighbourhood& near, double* means,
                   const Stream& stream);

struct SliceVotes {
    const float* probabilities;
    size_t classes;
    int64_t threshold;
    int32_t *labels, *counts;
};
void vertebra_votes(const SliceVotes& votes, const Groups& groups, const Stream& stream);

}  // namespace spinert::cuda
