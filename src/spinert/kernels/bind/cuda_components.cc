// Connected components, on the device.
#include "../cuda/components.h"

#include "cuda_arrays.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

// Checks an image or a volume as an array of the work, and returns its elements.
template <class T>
const T* input_of(Work& work, const DeviceArray& array, const char* name) {
    if (array.shape.size() == 2) return work.input<T, 2>(array, name).data;
    return work.input<T, 3>(array, name).data;
}
template <class T>
T* output_of(Work& work, const DeviceArray& array, const char* name) {
    if (array.shape.size() == 2) return work.output<T, 2>(array, name).data;
    return work.output<T, 3>(array, name).data;
}

cuda::Volume volume_of(const DeviceArray& array) {
    require(array.shape.size() == 2 || array.shape.size() == 3, "grids are neither images nor volumes");
    size_t voxels = 1;  // of the axes that are not 0: none of these is too long then
    for (size_t length : array.shape) {
        require(length < INT_MAX && voxels * (length ? length : 1) < INT_MAX, "grids have 2**31 - 1 voxels or more");
        voxels *= length ? length : 1;
    }
    const size_t first = array.shape.size() - 2;
    return {first ? static_cast<int>(array.shape[0]) : 1, static_cast<int>(array.shape[first]),
            static_cast<int>(array.shape[first + 1])};
}

template <bool kClasses>
void label(const DeviceArray& voxels, bool corners, const DeviceArray& labels, const DeviceArray& count,
           Stream& stream) {
    Work work(stream);
    const uint8_t* in = input_of<uint8_t>(work, voxels, kClasses ? "classes" : "mask");
    int32_t* out = output_of<int32_t>(work, labels, "labels");
    const auto count_out = work.output<int32_t, 1>(count, "count");
    const cuda::Volume volume = volume_of(voxels);
    require(labels.shape == voxels.shape, "labels have another shape than the voxels");
    require(count_out.size() == 1, "count is not [1]");
    work.run([&] {
        (kClasses ? cuda::label_classes : cuda::label_components)(in, volume, corners, out, count_out.data, stream);
    });
}

void statistics(const DeviceArray& labels, const DeviceArray* values, double slope, double intercept,
                const DeviceArray& voxels, const DeviceArray& boxes, const DeviceArray& centroids,
                const DeviceArray* means, Stream& stream) {
    Work work(stream);
    const int32_t* in = input_of<int32_t>(work, labels, "labels");
    const cuda::Volume volume = volume_of(labels);
    const auto voxels_out = work.output<int64_t, 1>(voxels, "voxels");
    const auto boxes_out = work.output<int32_t, 2>(boxes, "boxes");
    const auto centroids_out = work.output<double, 2>(centroids, "centroids");
    const size_t count = voxels_out.size(), axes = labels.shape.size();
    require(count < INT_MAX, "components are too many");
    require(boxes_out.shape(0) == count && boxes_out.shape(1) == 2 * axes, "boxes are not [count, 2 * axes]");
    require(centroids_out.shape(0) == count && centroids_out.shape(1) == axes, "centroids are not [count, axes]");
    cuda::Stored stored = {nullptr, nullptr, nullptr, slope, intercept};
    double* means_out = nullptr;
    if (values) {
        if (values->dtype == cuda::dtype_of<int16_t>()) {
            stored.signed16 = input_of<int16_t>(work, *values, "values");
        } else if (values->dtype == cuda::dtype_of<uint16_t>()) {
            stored.unsigned16 = input_of<uint16_t>(work, *values, "values");
        } else {
            stored.floats = input_of<float>(work, *values, "values");
        }
        require(values->shape == labels.shape, "values have another shape than the labels");
        const auto out = work.output<double, 1>(*means, "means");
        require(out.size() == count, "means are not [count]");
        means_out = out.data;
    }
    const cuda::Statistics results = {static_cast<int>(count), static_cast<int>(axes), voxels_out.data,
                                      boxes_out.data,          centroids_out.data,     means_out};
    work.run([&] { cuda::component_statistics(in, volume, stored, results, stream); });
}

void keep_components(const DeviceArray& labels, const DeviceArray& keep, const DeviceArray& kept, Stream& stream) {
    Work work(stream);
    const int32_t* in = input_of<int32_t>(work, labels, "labels");
    const auto keep_in = work.input<uint8_t, 1>(keep, "keep");
    int32_t* out = output_of<int32_t>(work, kept, "kept");
    volume_of(labels);
    require(kept.shape == labels.shape, "kept has another shape than labels");
    require(keep_in.size() < INT_MAX, "components are too many");
    const auto count = static_cast<int>(keep_in.size());
    work.run([&] { cuda::keep_components(in, labels.size(), keep_in.data, count, out, stream); });
}

}  // namespace

void bind_cuda_components(nb::module_& m) {
    m.def("label_components", &label<false>, "mask"_a, "corners"_a, "labels"_a, "count"_a, "stream"_a);
    m.def("label_classes", &label<true>, "classes"_a, "corners"_a, "labels"_a, "count"_a, "stream"_a);
    m.def(
        "component_statistics",
        [](const DeviceArray& labels, const DeviceArray& voxels, const DeviceArray& boxes, const DeviceArray& centroids,
           Stream& stream) { statistics(labels, nullptr, 0.0, 0.0, voxels, boxes, centroids, nullptr, stream); },
        "labels"_a, "voxels"_a, "boxes"_a, "centroids"_a, "stream"_a);
    m.def(
        "component_statistics",
        [](const DeviceArray& labels, const DeviceArray& values, double slope, double intercept,
           const DeviceArray& voxels, const DeviceArray& boxes, const DeviceArray& centroids, const DeviceArray& means,
           Stream& stream) {
            statistics(labels, &values, slope, intercept, voxels, boxes, centroids, &means, stream);
        },
        "labels"_a, "values"_a, "slope"_a, "intercept"_a, "voxels"_a, "boxes"_a, "centroids"_a, "means"_a, "stream"_a);
    m.def("keep_components", &keep_components, "labels"_a, "keep"_a, "kept"_a, "stream"_a);
}
