// Votes: what the voxels round a vertebra, or the slices through it, say of it.
#pragma once

#include "../math/ballot.h"
#include "../math/cube.h"
#include "groups.h"
#include "isa.h"

namespace spinert {

// volume [slices, rows, columns] round centres [n, 3] (z, y, x): the mean [n] of the voxels in a cube of `cube` voxels
// an edge, weighted by a Gaussian of their distance from the centre, sigma in voxels.
void gaussian_mean(FloatVolume volume, const double* centres, size_t n, Neighbourhood near, double* means,
                   int threads);

// probabilities [slices, classes], a group of slices for each vertebra -> slices counts [groups, classes] whose highest
// probability is that of the class, and labels [groups]: the class above 0 with most slices if these are more than
// `threshold`, else 0.
void vertebra_votes(SliceVotes votes, Groups groups, int threads);

namespace votes {

struct Kernels {
    // `weights` is room for the voxels of the cube along each axis, one after the other
    void (*gaussian)(FloatVolume volume, const double* centres, size_t n, Neighbourhood near, double* weights,
                     double* means);
    void (*vertebra)(SliceVotes votes, size_t slices);  // one vertebra
};
SPINERT_TABLES

}  // namespace votes
}  // namespace spinert
