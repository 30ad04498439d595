// Heat-maps to points, on the device.
#include "cuda_arrays.h"

#include "../cuda/heatmaps.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

// [n, height, width] or [n, depth, height, width]
template <class T>
View<const T, 4> input_maps(Work& work, const DeviceArray& array, const char* name) {
    if (array.shape.size() == 4) return work.input<T, 4>(array, name);
    const View<const T, 3> maps = work.input<T, 3>(array, name);
    return {maps.data, {maps.shape(0), 1, maps.shape(1), maps.shape(2)}};
}

cuda::Maps checked(Work& work, const DeviceArray& array) {
    const View<const float, 4> maps = input_maps<float>(work, array, "maps");
    size_t cells = 1;
    for (size_t axis = 1; axis < 4; ++axis) {
        require(maps.shape(axis) > 0, "maps have no cells");
        require(maps.shape(axis) < INT_MAX / 2 / cells, "maps are too large");
        cells *= maps.shape(axis);
    }
    require(maps.shape(0) < INT_MAX, "maps are too many");
    return {maps.data, maps.shape(0), static_cast<int>(maps.shape(1)), static_cast<int>(maps.shape(2)),
            static_cast<int>(maps.shape(3)), static_cast<int>(array.shape.size() - 1)};
}

float* output_points(Work& work, const cuda::Maps& maps, const DeviceArray& array) {
    const auto points = work.output<float, 2>(array, "points");
    require(points.shape(0) == maps.n, "points has another n than maps");
    require(points.shape(1) == static_cast<size_t>(maps.axes), "points has another number of axes than maps");
    return points.data;
}

template <class T>
T* output_scalars(Work& work, const cuda::Maps& maps, const DeviceArray& array, const char* name) {
    const auto scalars = work.output<T, 1>(array, name);
    require(scalars.shape(0) == maps.n, "an output has another n than maps");
    return scalars.data;
}

cuda::Softmax softmax(double temperature, int radius) {
    require(1e-30 <= temperature && temperature <= 1e30, "temperature is not 1e-30..1e30");
    require(0 <= radius && radius < INT_MAX / 2, "radius is below 0 or too large");
    return {temperature, radius};
}

void soft_argmax(const DeviceArray& maps, double temperature, int radius, const DeviceArray& points,
                 const DeviceArray& confidence, Stream& stream) {
    Work work(stream);
    const cuda::Maps of = checked(work, maps);
    const cuda::Softmax rule = softmax(temperature, radius);
    float* const points_out = output_points(work, of, points);
    float* const confidence_out = output_scalars<float>(work, of, confidence, "confidence");
    work.run([&] { cuda::soft_argmax(of, rule, points_out, confidence_out, stream); });
}

void soft_moments(const DeviceArray& maps, double temperature, int radius, const DeviceArray& points,
                  const DeviceArray& confidence, const DeviceArray& covariance, Stream& stream) {
    Work work(stream);
    const cuda::Maps of = checked(work, maps);
    const cuda::Softmax rule = softmax(temperature, radius);
    float* const points_out = output_points(work, of, points);
    float* const confidence_out = output_scalars<float>(work, of, confidence, "confidence");
    const auto spread = work.output<float, 3>(covariance, "covariance");
    const size_t axes = static_cast<size_t>(of.axes);
    require(spread.shape(0) == of.n && spread.shape(1) == axes && spread.shape(2) == axes,
            "covariance is not [n, axes, axes]");
    work.run([&] { cuda::soft_moments(of, rule, points_out, confidence_out, spread.data, stream); });
}

// One mask for every n / m maps.
cuda::Mask checked_mask(Work& work, const DeviceArray& maps, const DeviceArray& mask) {
    const View<const uint8_t, 4> masks = input_maps<uint8_t>(work, mask, "mask");
    require(mask.shape.size() == maps.shape.size(), "mask has another rank than maps");
    for (size_t axis = 1; axis < maps.shape.size(); ++axis) {
        require(mask.shape[axis] == maps.shape[axis], "mask has other sides than maps");
    }
    const size_t n = maps.shape[0], m = masks.shape(0);
    require(m > 0 && n % m == 0, "n of maps is no multiple of that of mask");
    return {masks.data, n / m};
}

void mean_above(const DeviceArray& maps, float threshold, const DeviceArray* mask,
                const DeviceArray& points, const DeviceArray& count, const DeviceArray& confidence, Stream& stream) {
    Work work(stream);
    const cuda::Maps of = checked(work, maps);
    const cuda::Mask masks = mask ? checked_mask(work, maps, *mask) : cuda::Mask{nullptr, 1};
    require(threshold == threshold, "threshold is nan");
    float* const points_out = output_points(work, of, points);
    int32_t* const count_out = output_scalars<int32_t>(work, of, count, "count");
    float* const confidence_out = output_scalars<float>(work, of, confidence, "confidence");
    work.run([&] { cuda::mean_above(of, threshold, masks, points_out, count_out, confidence_out, stream); });
}

void peak(const DeviceArray& maps, const DeviceArray& points, const DeviceArray& value, Stream& stream) {
    Work work(stream);
    const cuda::Maps of = checked(work, maps);
    float* const points_out = output_points(work, of, points);
    float* const value_out = output_scalars<float>(work, of, value, "value");
    work.run([&] { cuda::peak(of, points_out, value_out, stream); });
}

void top_peaks(const DeviceArray& maps, double min_distance, float threshold, const DeviceArray& points,
               const DeviceArray& values, const DeviceArray& count, Stream& stream) {
    Work work(stream);
    const cuda::Maps of = checked(work, maps);
    const auto points_out = work.output<float, 3>(points, "points");
    const auto values_out = work.output<float, 2>(values, "values");
    const size_t k = values_out.shape(1);
    require(1 <= k && k < INT_MAX / 4, "k is below 1 or too large");
    require(min_distance >= 1.0, "min_distance is below 1");
    require(threshold == threshold, "threshold is nan");
    require(points_out.shape(0) == of.n && points_out.shape(1) == k, "points is not [n, k, axes]");
    require(points_out.shape(2) == static_cast<size_t>(of.axes), "points is not [n, k, axes]");
    require(values_out.shape(0) == of.n, "values has another n than maps");
    int32_t* const count_out = output_scalars<int32_t>(work, of, count, "count");
    const cuda::PeakRule rule = {static_cast<int>(k), min_distance, threshold};
    work.run([&] { cuda::top_peaks(of, rule, points_out.data, values_out.data, count_out, stream); });
}

}  // namespace

void bind_cuda_heatmaps(nb::module_& m) {
    m.def("soft_argmax", &soft_argmax, "maps"_a, "temperature"_a, "radius"_a, "points"_a, "confidence"_a, "stream"_a);
    m.def("soft_moments", &soft_moments, "maps"_a, "temperature"_a, "radius"_a, "points"_a, "confidence"_a,
          "covariance"_a, "stream"_a);
    m.def("mean_above", &mean_above, "maps"_a, "threshold"_a, "mask"_a.none(), "points"_a, "count"_a, "confidence"_a,
          "stream"_a);
    m.def("peak", &peak, "maps"_a, "points"_a, "value"_a, "stream"_a);
    m.def("top_peaks", &top_peaks, "maps"_a, "min_distance"_a, "threshold"_a, "points"_a, "values"_a, "count"_a,
          "stream"_a);
}
