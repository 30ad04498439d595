// Connected components.
#include "../cpu/components.h"

#include "apart.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// A volume [slices, rows, columns], or an image [rows, columns]: a volume of one slice.
template <class T>
using Grid = nb::ndarray<T, nb::c_contig, nb::device::cpu>;

struct Shape {
    int slices, rows, columns;
};

template <class T>
Shape shape_of(const Grid<T>& grid) {
    require(grid.ndim() == 2 || grid.ndim() == 3, "grids are neither [rows, columns] nor [slices, rows, columns]");
    const size_t first = grid.ndim() - 2;
    size_t voxels = 1;  // of the axes that are not 0: none of these is too long then
    for (size_t axis = 0; axis < grid.ndim(); ++axis) {
        const size_t length = grid.shape(axis) ? grid.shape(axis) : 1;
        require(length < INT_MAX && voxels * length < INT_MAX, "grids have 2**31 - 1 voxels or more");
        voxels *= length;
    }
    return {first ? static_cast<int>(grid.shape(0)) : 1, static_cast<int>(grid.shape(first)),
            static_cast<int>(grid.shape(first + 1))};
}

template <spinert::Kind kKind>
void label(const Grid<const uint8_t>& voxels, bool corners, const Grid<int32_t>& labels, const Array<int32_t, 1>& count,
           int threads) {
    const Shape shape = shape_of(voxels);
    require_same_shape(voxels, labels, "labels have another shape than the voxels");
    require(count.size() == 1, "count is not [1]");
    require_apart("labels share memory with voxels", labels, voxels);
    require_apart("count shares memory with another array", count, voxels, labels);
    require(threads >= 1, "threads is below 1");
    // an image is cut between its rows as a volume is between its slices
    const bool image = voxels.ndim() == 2;
    const spinert::Voxels checked = {voxels.data(), image ? shape.rows : shape.slices, image ? 1 : shape.rows,
                                     shape.columns, kKind};
    const auto touching = corners ? spinert::Touching::corners : spinert::Touching::faces;
    nb::gil_scoped_release unlocked;
    *count.data() = voxels.size() == 0 ? 0 : spinert::label_components(checked, touching, labels.data(), threads);
}

spinert::Labels labels_of(const Grid<const int32_t>& labels) {
    const Shape shape = shape_of(labels);
    return {labels.data(), shape.slices, shape.rows, shape.columns};
}

spinert::Statistics statistics_of(const Grid<const int32_t>& labels, const Array<int64_t, 1>& voxels,
                                  const Array<int32_t, 2>& boxes, const Array<double, 2>& centroids, double* means) {
    const size_t count = voxels.size(), axes = labels.ndim();
    require(count < INT_MAX, "components are too many");
    require(boxes.shape(0) == count && boxes.shape(1) == 2 * axes, "boxes are not [count, 2 * axes]");
    require(centroids.shape(0) == count && centroids.shape(1) == axes, "centroids are not [count, axes]");
    require_apart("voxels share memory with another array", voxels, labels, boxes, centroids);
    require_apart("boxes share memory with another array", boxes, labels, centroids);
    require_apart("centroids share memory with the labels", centroids, labels);
    return {count, static_cast<int>(axes), voxels.data(), boxes.data(), centroids.data(), means};
}

void statistics(Grid<const int32_t> labels, Array<int64_t, 1> voxels, Array<int32_t, 2> boxes,
                Array<double, 2> centroids, int threads) {
    const spinert::Labels checked = labels_of(labels);
    const spinert::Statistics results = statistics_of(labels, voxels, boxes, centroids, nullptr);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::component_statistics(checked, {}, results, threads);
}

template <class Value>
void statistics_and_means(Grid<const int32_t> labels, Grid<const Value> values, double slope, double intercept,
                          Array<int64_t, 1> voxels, Array<int32_t, 2> boxes, Array<double, 2> centroids,
                          Array<double, 1> means, int threads) {
    const spinert::Labels checked = labels_of(labels);
    const spinert::Statistics results = statistics_of(labels, voxels, boxes, centroids, means.data());
    require_same_shape(labels, values, "values have another shape than the labels");
    require(means.size() == voxels.size(), "means are not [count]");
    require_apart("an output shares memory with the values", values, voxels, boxes, centroids, means);
    require_apart("means share memory with another array", means, labels, voxels, boxes, centroids);
    require(threads >= 1, "threads is below 1");
    spinert::Stored stored = {};
    if constexpr (std::is_same_v<Value, int16_t>) stored.signed16 = values.data();
    if constexpr (std::is_same_v<Value, uint16_t>) stored.unsigned16 = values.data();
    if constexpr (std::is_same_v<Value, float>) stored.floats = values.data();
    stored.slope = slope;
    stored.intercept = intercept;
    nb::gil_scoped_release unlocked;
    spinert::component_statistics(checked, stored, results, threads);
}

template <class Value>
void bind_means(nb::module_& m) {
    m.def("component_statistics", &statistics_and_means<Value>, "labels"_a.noconvert(), "values"_a.noconvert(),
          "slope"_a, "intercept"_a, "voxels"_a.noconvert(), "boxes"_a.noconvert(), "centroids"_a.noconvert(),
          "means"_a.noconvert(), "threads"_a);
}

void keep_components(Grid<const int32_t> labels, Array<const uint8_t, 1> keep, Grid<int32_t> kept, int threads) {
    shape_of(labels);
    require_same_shape(labels, kept, "kept has another shape than labels");
    require_apart("kept shares memory with labels or keep", kept, labels, keep);
    require(keep.size() < INT_MAX, "components are too many");
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::keep_components(labels.data(), labels.size(), keep.data(), keep.size(), kept.data(), threads);
}

}  // namespace

void bind_components(nb::module_& m) {
    m.def("label_components", &label<spinert::Kind::mask>, "mask"_a.noconvert(), "corners"_a, "labels"_a.noconvert(),
          "count"_a.noconvert(), "threads"_a);
    m.def("label_classes", &label<spinert::Kind::classes>, "classes"_a.noconvert(), "corners"_a,
          "labels"_a.noconvert(), "count"_a.noconvert(), "threads"_a);
    m.def("component_statistics", &statistics, "labels"_a.noconvert(), "voxels"_a.noconvert(), "boxes"_a.noconvert(),
          "centroids"_a.noconvert(), "threads"_a);
    bind_means<int16_t>(m);
    bind_means<uint16_t>(m);
    bind_means<float>(m);
    m.def("keep_components", &keep_components, "labels"_a.noconvert(), "keep"_a.noconvert(), "kept"_a.noconvert(),
          "threads"_a);
}
