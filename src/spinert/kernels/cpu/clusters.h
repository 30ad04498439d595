// Points to clusters.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace spinert {

// Points [n, 2] in groups, group g being offsets[g] .. offsets[g + 1]; offsets [groups + 1] ascend from 0 to n. Every
// group has its own clusters 0, 1, 2 ... by their first core points; labels [n], -1 for noise. eps is 1e-150..1e150, a
// group extends over at most 2**30 eps on each axis.
struct PointGroups {
    const double* points;
    const int64_t* offsets;
    size_t groups;
};
void dbscan(PointGroups groups, double eps, int64_t min_samples, int32_t* labels, int threads);

// points [n, axes] -> labels [n] and centres [k, axes]; axes is 1 or 2, 1 <= k <= n.
struct KMeansJob {
    const double* points;
    size_t n;
    int k, max_iterations;
    double tolerance;
    double* centres;
    int32_t* labels;
};
void kmeans(KMeansJob job, int axes);

// Which of points placed along a line lie apart from their neighbours; see kernels/clusters.py. gaps: n doubles.
void gap_outliers(const double* places, size_t n, double ratio, double* gaps, uint8_t* outliers);

// Up to this many points are clustered without a grid.
constexpr uint32_t kDbscanFew = 64;

struct DbscanGroup {
    const double* points;
    uint32_t n;
    double eps;
    int64_t min_samples;
    int32_t* labels;
};
// The grid of a group's points: column (x - left) * per_unit, row (y - top) * per_unit, `stride` cells from a row to the
// next, `cells` in all.
struct DbscanFrame {
    double left, top, per_unit;
    uint64_t stride, cells;

    bool is_wide() const { return cells >= UINT32_MAX; }
    // 64-bit words of scratch for n points: a key each and one more, and a 32-bit index each.
    size_t words(size_t n) const { return is_wide() ? n + 1 + (n + 1) / 2 : n + 1; }
};

namespace clusters {

struct Kernels {
    void (*dbscan_few)(const DbscanGroup& group);
    DbscanFrame (*dbscan_frame)(const double* points, uint32_t n, double eps);
    // `scratch` is frame.words(n)
    void (*dbscan)(const DbscanGroup& group, const DbscanFrame& frame, uint64_t* scratch);
    // `scratch` is max(n, k * (axes + 1)) doubles
    void (*kmeans)(KMeansJob job, int axes, double* scratch);
};
SPINERT_TABLES

}  // namespace clusters
}  // namespace spinert
