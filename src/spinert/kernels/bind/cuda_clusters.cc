// Clusters of points, on the device.
#include "cuda_arrays.h"

#include <cmath>

#include "../cuda/clusters.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

void dbscan(const DeviceArray& points, const DeviceArray& offsets, double eps, int64_t min_samples,
            const DeviceArray& labels, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 2>(points, "points");
    const auto ends = work.input<int64_t, 1>(offsets, "offsets");
    const auto out = work.output<int32_t, 1>(labels, "labels");
    const size_t n = in.shape(0);
    require(in.shape(1) == 2, "points are not [n, 2]");
    require(n < INT_MAX, "points are too many");
    require(ends.shape(0) >= 1, "offsets do not ascend from 0 to n");
    require(n == 0 || ends.shape(0) >= 2, "offsets do not ascend from 0 to n");
    require(1e-150 <= eps && eps <= 1e150, "eps is not 1e-150..1e150");
    require(min_samples >= 1, "min_samples is below 1");
    require(out.shape(0) == n, "labels has another n than points");
    const cuda::PointGroups groups = {in.data, ends.data, ends.shape(0) - 1, static_cast<int>(n)};
    work.run([&] { cuda::dbscan(groups, eps, min_samples, out.data, stream); });
}

void kmeans(const DeviceArray& points, int max_iterations, double tolerance, const DeviceArray& labels,
            const DeviceArray& centres, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 2>(points, "points");
    const auto out = work.output<int32_t, 1>(labels, "labels");
    const auto means = work.output<double, 2>(centres, "centres");
    const size_t n = in.shape(0), axes = in.shape(1), k = means.shape(0);
    require(axes == 1 || axes == 2, "points are neither [n, 1] nor [n, 2]");
    require(1 <= k && k <= n && n < INT_MAX / 2, "k is not 1..n");
    require(means.shape(1) == axes, "centres have other axes than points");
    require(out.shape(0) == n, "labels has another n than points");
    require(max_iterations >= 1, "max_iterations is below 1");
    require(tolerance >= 0.0, "tolerance is below 0");
    const cuda::KMeansJob job = {in.data,   static_cast<int>(n), static_cast<int>(k), max_iterations,
                                 tolerance, means.data,          out.data};
    work.run([&] { cuda::kmeans(job, static_cast<int>(axes), stream); });
}

void gap_outliers(const DeviceArray& places, double ratio, const DeviceArray& gaps, const DeviceArray& outliers,
                  Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 1>(places, "places");
    const auto between = work.output<double, 1>(gaps, "gaps");
    const auto out = work.output<uint8_t, 1>(outliers, "outliers");
    const size_t n = in.shape(0);
    require(n < INT_MAX / 2, "places are too many");
    require(1.0 <= ratio && ratio < INFINITY, "ratio is not finite and at least 1");
    require(between.shape(0) == n, "gaps has another n than places");
    require(out.shape(0) == n, "outliers has another n than places");
    work.run([&] { cuda::gap_outliers(in.data, static_cast<int>(n), ratio, between.data, out.data, stream); });
}

}  // namespace

void bind_cuda_clusters(nb::module_& m) {
    m.def("dbscan", &dbscan, "points"_a, "offsets"_a, "eps"_a, "min_samples"_a, "labels"_a, "stream"_a);
    m.def("kmeans", &kmeans, "points"_a, "max_iterations"_a, "tolerance"_a, "labels"_a, "centres"_a, "stream"_a);
    m.def("gap_outliers", &gap_outliers, "places"_a, "ratio"_a, "gaps"_a, "outliers"_a, "stream"_a);
}
