// Votes: groups, scratch and threads around the kernels of one ISA.
#include "votes.h"

#include <memory>

#include "parallel.h"

namespace spinert {

void gaussian_mean(FloatVolume volume, const double* centres, size_t n, Neighbourhood near, double* means,
                   int threads) {
    const votes::Kernels& kernels = votes::active();
    size_t weights = 0;
    for (const int64_t size : volume.shape) weights += static_cast<size_t>(std::min(size, near.cube));
    const size_t parts = std::max<size_t>(1, std::min(n, static_cast<size_t>(threads)));
    const std::unique_ptr<double[]> scratch(new double[parts * weights]);
    parallel_for(n, threads, [&](size_t part, size_t begin, size_t end) {
        kernels.gaussian(volume, centres + 3 * begin, end - begin, near, scratch.get() + part * weights,
                         means + begin);
    });
}

void vertebra_votes(SliceVotes votes, Groups groups, int threads) {
    const votes::Kernels& kernels = votes::active();
    parallel_for(groups.count, threads, [&](size_t, size_t begin, size_t end) {
        for (size_t g = begin; g < end; ++g) {
            SliceVotes own = votes;
            own.probabilities += first_of(groups, g) * votes.classes;
            own.labels += g;
            own.counts += g * votes.classes;
            kernels.vertebra(own, size_of(groups, g));
        }
    });
}

}  // namespace spinert
