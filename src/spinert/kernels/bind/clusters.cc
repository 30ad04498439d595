// Clusters of points.
#include "../cpu/clusters.h"

#include <cmath>

#include "groups.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// Whether all values are finite and lie within `span` of each other.
bool lie_within(const double* values, size_t n, double span) {
    if (n == 0) return true;
    double low = values[0], high = values[0];
    for (size_t i = 0; i < n; ++i) {
        if (!(values[i] - values[i] == 0.0)) return false;
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    return high - low <= span;
}

void dbscan(Points<const double> points, Array<const int64_t, 1> offsets, double eps, int64_t min_samples,
            Array<int32_t, 1> labels, int threads) {
    const size_t n = points.shape(0);
    require(n < INT_MAX, "points are too many");
    groups_of(offsets, n);
    require(1e-150 <= eps && eps <= 1e150, "eps is not 1e-150..1e150");
    require(lie_within(points.data(), 2 * n, 0x1p30 * eps), "points are not finite or extend over more than 2**30 eps");
    require(min_samples >= 1, "min_samples is below 1");
    require(labels.shape(0) == n, "labels has another n than points");
    require_apart("labels share memory with points or offsets", labels, points, offsets);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::dbscan({points.data(), offsets.data(), offsets.size() - 1}, eps, min_samples, labels.data(), threads);
}

void kmeans(Array<const double, 2> points, int max_iterations, double tolerance, Array<int32_t, 1> labels,
            Array<double, 2> centres, int threads) {
    const size_t n = points.shape(0), axes = points.shape(1), k = centres.shape(0);
    require(axes == 1 || axes == 2, "points are neither [n, 1] nor [n, 2]");
    require(1 <= k && k <= n && n < INT_MAX, "k is not 1..n");
    require(centres.shape(1) == axes, "centres have other axes than points");
    require(labels.shape(0) == n, "labels has another n than points");
    require_apart("outputs share memory with each other or with points", labels, points, centres);
    require_apart("outputs share memory with each other or with points", centres, points);
    require(max_iterations >= 1, "max_iterations is below 1");
    require(tolerance >= 0.0, "tolerance is below 0");
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    const spinert::KMeansJob job = {points.data(),  n,         static_cast<int>(k), max_iterations, tolerance,
                                    centres.data(), labels.data()};
    spinert::kmeans(job, static_cast<int>(axes));
}

void gap_outliers(Array<const double, 1> places, double ratio, Array<double, 1> gaps, Array<uint8_t, 1> outliers,
                  int threads) {
    const size_t n = places.shape(0);
    require(lie_within(places.data(), n, INFINITY), "places are not finite");
    require(1.0 <= ratio && ratio < INFINITY, "ratio is not finite and at least 1");
    require(gaps.shape(0) == n, "gaps has another n than places");
    require(outliers.shape(0) == n, "outliers has another n than places");
    require_apart("outputs share memory with each other or with places", gaps, places, outliers);
    require_apart("outputs share memory with each other or with places", outliers, places);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::gap_outliers(places.data(), n, ratio, gaps.data(), outliers.data());
}

}  // namespace

void bind_clusters(nb::module_& m) {
    m.def("dbscan", &dbscan, "points"_a.noconvert(), "offsets"_a.noconvert(), "eps"_a, "min_samples"_a,
          "labels"_a.noconvert(), "threads"_a);
    m.def("kmeans", &kmeans, "points"_a.noconvert(), "max_iterations"_a, "tolerance"_a, "labels"_a.noconvert(),
          "centres"_a.noconvert(), "threads"_a);
    m.def("gap_outliers", &gap_outliers, "places"_a.noconvert(), "ratio"_a, "gaps"_a.noconvert(),
          "outliers"_a.noconvert(), "threads"_a);
}
