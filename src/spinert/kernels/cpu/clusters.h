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

struct DbscanEntry {
    uint64_t place;  // of the point's cell in the grid, row by row
    uint32_t point;
};
struct DbscanCell {
    uint64_t place;
    uint32_t first;   // of its points
    uint32_t cores;   // how many of them, the first ones, are core points
    uint32_t parent;  // a cell of the same cluster that comes before it, or itself
    int32_t cluster;  // -1: none yet
};
// Arrays of as many entries as the largest group has points; `cells` has one more.
struct DbscanScratch {
    DbscanEntry *entries, *spare;
    DbscanCell* cells;
    double *x, *y;
    uint32_t* points;
};

namespace clusters {

struct Kernels {
    // one group
    void (*dbscan)(const double* points, uint32_t n, double eps, int64_t min_samples, const DbscanScratch& scratch,
                   int32_t* labels);
    // `scratch` is max(n, k * (axes + 1)) doubles
    void (*kmeans)(KMeansJob job, int axes, double* scratch);
};
SPINERT_TABLES

}  // namespace clusters
}  // namespace spinert
