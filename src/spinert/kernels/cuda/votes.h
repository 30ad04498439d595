// Votes on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include "../math/ballot.h"
#include "../math/cube.h"
#include "groups.h"
#include "stream.h"

namespace spinert::cuda {

void gaussian_mean(const FloatVolume& volume, const double* centres, size_t n, const Neighbourhood& near, double* means,
                   const Stream& stream);

void vertebra_votes(const SliceVotes& votes, const Groups& groups, const Stream& stream);

}  // namespace spinert::cuda
