// DBSCAN and K-means.
#include "clusters.h"

#include "lanes.inl"

#include "dbscan_few.inl"
#include "dbscan_grid.inl"
#include "dbscan.inl"
#include "kmeans.inl"

namespace spinert::clusters {
namespace {

constexpr Kernels kTable = {dbscan_few, frame_of_group, dbscan_group, kmeans_of_points};

}  // namespace
}  // namespace spinert::clusters
