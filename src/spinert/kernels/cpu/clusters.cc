// DBSCAN and K-means: scratch and threads around the kernels of one ISA.
#include "clusters.h"

#include <cmath>
#include <memory>

#include "parallel.h"

namespace spinert {
namespace {

// A thread that is woken for fewer points costs more than it saves.
constexpr size_t kLeastPerThread = 8192;

// 64-bit words that the largest of the groups needs.
size_t scratch_words(const PointGroups& groups, double eps) {
    size_t words = 0;
    for (const int64_t* group = groups.offsets; group < groups.offsets + groups.groups; ++group) {
        const auto n = static_cast<uint32_t>(group[1] - group[0]);
        if (n <= kDbscanFew) continue;
        words = std::max(words, clusters::active().dbscan_frame(groups.points + 2 * *group, n, eps).words(n));
    }
    return words;
}

}  // namespace

void dbscan(PointGroups groups, double eps, int64_t min_samples, int32_t* labels, int threads) {
    const clusters::Kernels& kernels = clusters::active();
    const int64_t* const last = groups.offsets + groups.groups;
    const auto points = static_cast<size_t>(*last);
    const size_t parts = std::min({groups.groups, static_cast<size_t>(threads), points / kLeastPerThread + 1});
    const size_t words = scratch_words(groups, eps);
    // not initialised: memory that no group reaches is never touched
    const std::unique_ptr<uint64_t[]> scratch(new uint64_t[parts * words]);
    // parts of as many points as groups allow: a group goes to the part of its first point
    parallel_for(points, static_cast<int>(parts), [&](size_t part, size_t begin, size_t end) {
        const int64_t* group = std::lower_bound(groups.offsets, last, static_cast<int64_t>(begin));
        for (; group < last && *group < static_cast<int64_t>(end); ++group) {
            const auto n = static_cast<uint32_t>(group[1] - group[0]);
            const DbscanGroup own = {groups.points + 2 * *group, n, eps, min_samples, labels + *group};
            if (n <= kDbscanFew) {
                kernels.dbscan_few(own);
            } else {
                kernels.dbscan(own, kernels.dbscan_frame(own.points, n, eps), scratch.get() + part * words);
            }
        }
    });
}

void gap_outliers(const double* places, size_t n, double ratio, double* gaps, uint8_t* outliers) {
    std::fill(outliers, outliers + n, uint8_t{0});
    if (n < 3) return;  // a single gap has no other to be compared with
    const size_t count = n - 1, middle = count / 2;
    const auto gap = [&](size_t i) { return std::abs(places[i + 1] - places[i]); };
    for (size_t i = 0; i < count; ++i) gaps[i] = gap(i);
    std::nth_element(gaps, gaps + middle, gaps + count);
    const double upper = gaps[middle];
    const double lower = count % 2 == 1 ? upper : *std::max_element(gaps, gaps + middle);
    const double widest = ratio * (0.5 * lower + 0.5 * upper);
    for (size_t i = 0; i < n; ++i) {
        const bool far_before = i == 0 || gap(i - 1) > widest, far_behind = i == count || gap(i) > widest;
        outliers[i] = far_before && far_behind ? 1 : 0;
    }
}

void kmeans(KMeansJob job, int axes) {
    const size_t k = static_cast<size_t>(job.k);
    const std::unique_ptr<double[]> scratch(new double[std::max(job.n, k * (static_cast<size_t>(axes) + 1))]);
    clusters::active().kmeans(job, axes, scratch.get());
}

}  // namespace spinert
