// Heat-maps to points.
#include <nanobind/stl/optional.h>

#include "../cpu/heatmaps.h"
#include "apart.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// [n, height, width] or [n, depth, height, width]
template <class T>
using AnyMaps = nb::ndarray<T, nb::c_contig, nb::device::cpu>;

spinert::Maps heatmaps(const AnyMaps<const float>& maps, int threads) {
    require(maps.ndim() == 3 || maps.ndim() == 4, "maps are neither [n, height, width] nor [n, depth, height, width]");
    size_t cells = 1, sides[3] = {1, 1, 1};
    for (size_t axis = 1; axis < maps.ndim(); ++axis) {
        const size_t side = maps.shape(axis);
        require(side > 0, "maps have no cells");
        require(side < INT_MAX / 2 / cells, "maps are too large");
        sides[axis + 3 - maps.ndim()] = side;
        cells *= side;
    }
    require(threads >= 1, "threads is below 1");
    return {maps.data(), maps.shape(0), static_cast<int>(sides[0]), static_cast<int>(sides[1]),
            static_cast<int>(sides[2]), static_cast<int>(maps.ndim() - 1)};
}

void require_points(const spinert::Maps& maps, const Array<float, 2>& points) {
    require(points.shape(0) == maps.n, "points has another n than maps");
    require(points.shape(1) == static_cast<size_t>(maps.axes), "points has another number of axes than maps");
}

template <class T>
void require_scalars(const spinert::Maps& maps, const Array<T, 1>& scalars) {
    require(scalars.shape(0) == maps.n, "an output has another n than maps");
}

spinert::Softmax softmax(double temperature, int radius) {
    require(1e-30 <= temperature && temperature <= 1e30, "temperature is not 1e-30..1e30");
    require(0 <= radius && radius < INT_MAX / 2, "radius is below 0 or too large");
    return {temperature, radius};
}

void soft_argmax(AnyMaps<const float> maps, double temperature, int radius, Array<float, 2> points,
                 Array<float, 1> confidence, int threads) {
    const spinert::Maps checked = heatmaps(maps, threads);
    const spinert::Softmax rule = softmax(temperature, radius);
    require_points(checked, points);
    require_scalars(checked, confidence);
    require_apart("outputs share memory with each other or with maps", points, maps, confidence);
    require_apart("outputs share memory with each other or with maps", confidence, maps);
    nb::gil_scoped_release unlocked;
    spinert::soft_argmax(checked, rule, points.data(), confidence.data(), threads);
}

void soft_moments(AnyMaps<const float> maps, double temperature, int radius, Array<float, 2> points,
                  Array<float, 1> confidence, Array<float, 3> covariance, int threads) {
    const spinert::Maps checked = heatmaps(maps, threads);
    const spinert::Softmax rule = softmax(temperature, radius);
    require_points(checked, points);
    require_scalars(checked, confidence);
    require(covariance.shape(0) == checked.n && covariance.shape(1) == points.shape(1) &&
                covariance.shape(2) == points.shape(1),
            "covariance is not [n, axes, axes]");
    require_apart("outputs share memory with each other or with maps", points, maps, confidence, covariance);
    require_apart("outputs share memory with each other or with maps", confidence, maps, covariance);
    require_apart("outputs share memory with each other or with maps", covariance, maps);
    nb::gil_scoped_release unlocked;
    spinert::soft_moments(checked, rule, points.data(), confidence.data(), covariance.data(), threads);
}

// One mask for every n / m maps; no maps need none.
spinert::Mask checked_mask(const AnyMaps<const float>& maps, const AnyMaps<const uint8_t>& masks) {
    require(masks.ndim() == maps.ndim(), "mask has another rank than maps");
    for (size_t axis = 1; axis < maps.ndim(); ++axis) {
        require(masks.shape(axis) == maps.shape(axis), "mask has other sides than maps");
    }
    const size_t n = maps.shape(0), m = masks.shape(0);
    require(m > 0 && n % m == 0, "n of maps is no multiple of that of mask");
    return {masks.data(), n / m};
}

void mean_above(AnyMaps<const float> maps, float threshold, std::optional<AnyMaps<const uint8_t>> mask,
                Array<float, 2> points, Array<int32_t, 1> count, Array<float, 1> confidence, int threads) {
    const spinert::Maps checked = heatmaps(maps, threads);
    const spinert::Mask masks = mask ? checked_mask(maps, *mask) : spinert::Mask{nullptr, 1};
    require(threshold == threshold, "threshold is nan");
    require_points(checked, points);
    require_scalars(checked, count);
    require_scalars(checked, confidence);
    require_apart("outputs share memory with each other or with maps", points, maps, count, confidence);
    require_apart("outputs share memory with each other or with maps", count, maps, confidence);
    require_apart("outputs share memory with each other or with maps", confidence, maps);
    if (mask) require_apart("an output shares memory with mask", *mask, points, count, confidence);
    nb::gil_scoped_release unlocked;
    spinert::mean_above(checked, threshold, masks, points.data(), count.data(), confidence.data(), threads);
}

void peak(AnyMaps<const float> maps, Array<float, 2> points, Array<float, 1> value, int threads) {
    const spinert::Maps checked = heatmaps(maps, threads);
    require_points(checked, points);
    require_scalars(checked, value);
    require_apart("outputs share memory with each other or with maps", points, maps, value);
    require_apart("outputs share memory with each other or with maps", value, maps);
    nb::gil_scoped_release unlocked;
    spinert::peak(checked, points.data(), value.data(), threads);
}

void top_peaks(AnyMaps<const float> maps, double min_distance, float threshold, Array<float, 3> points,
               Array<float, 2> values, Array<int32_t, 1> count, int threads) {
    const spinert::Maps checked = heatmaps(maps, threads);
    const size_t k = values.shape(1);
    require(1 <= k && k < INT_MAX / 4, "k is below 1 or too large");
    require(min_distance >= 1.0, "min_distance is below 1");
    require(threshold == threshold, "threshold is nan");
    require(points.shape(0) == checked.n && points.shape(1) == k, "points is not [n, k, axes]");
    require(points.shape(2) == static_cast<size_t>(checked.axes), "points is not [n, k, axes]");
    require(values.shape(0) == checked.n, "values has another n than maps");
    require_scalars(checked, count);
    require_apart("outputs share memory with each other or with maps", points, maps, values, count);
    require_apart("outputs share memory with each other or with maps", values, maps, count);
    require_apart("outputs share memory with each other or with maps", count, maps);
    nb::gil_scoped_release unlocked;
    const spinert::PeakRule rule = {static_cast<int>(k), min_distance, threshold};
    spinert::top_peaks(checked, rule, points.data(), values.data(), count.data(), threads);
}

}  // namespace

void bind_heatmaps(nb::module_& m) {
    m.def("soft_argmax", &soft_argmax, "maps"_a.noconvert(), "temperature"_a, "radius"_a, "points"_a.noconvert(),
          "confidence"_a.noconvert(), "threads"_a);
    m.def("soft_moments", &soft_moments, "maps"_a.noconvert(), "temperature"_a, "radius"_a, "points"_a.noconvert(),
          "confidence"_a.noconvert(), "covariance"_a.noconvert(), "threads"_a);
    m.def("mean_above", &mean_above, "maps"_a.noconvert(), "threshold"_a, "mask"_a.noconvert().none(),
          "points"_a.noconvert(), "count"_a.noconvert(), "confidence"_a.noconvert(), "threads"_a);
    m.def("peak", &peak, "maps"_a.noconvert(), "points"_a.noconvert(), "value"_a.noconvert(), "threads"_a);
    m.def("top_peaks", &top_peaks, "maps"_a.noconvert(), "min_distance"_a, "threshold"_a, "points"_a.noconvert(),
          "values"_a.noconvert(), "count"_a.noconvert(), "threads"_a);
}
