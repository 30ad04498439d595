// Points to clusters on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stream.h"

namespace spinert::cuda {

// Points [n, 2] in groups, group g being offsets[g] .. offsets[g + 1]. Points of no group, which is how offsets that do
// not ascend from 0 to n are understood, and points that are not finite are noise.
struct PointGroups {
    const double* points;
    const int64_t* offsets;
    size_t groups;
    int n;
};
void dbscan(const PointGroups& groups, double eps, int64_t min_samples, int32_t* labels, Stream& stream);

// points [n, axes] -> labels [n] and centres [k, axes]; axes is 1 or 2, 1 <= k <= n.
struct KMeansJob {
    const double* points;
    int n, k, max_iterations;
    double tolerance;
    double* centres;
    int32_t* labels;
};
void kmeans(const KMeansJob& job, int axes, Stream& stream);

// No place is an outlier where one is not finite. gaps [n] is scratch.
void gap_outliers(const double* places, int n, double ratio, double* gaps, uint8_t* outliers, const Stream& stream);

}  // namespace spinert::cuda
