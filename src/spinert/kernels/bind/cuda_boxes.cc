// Boxes that overlap, on the device.
#include "../cuda/boxes.h"

#include "cuda_groups.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

cuda::BoxArray boxes_in(Work& work, const DeviceArray& array, size_t values, const char* name) {
    const auto view = work.input<float, 2>(array, name);
    require(view.shape(1) == values, "boxes have another number of values than 4, turned ones 5");
    return {view.data, view.shape(0)};
}

template <int kValues, class Kernel>
void overlaps(Kernel kernel, const DeviceArray& a, const DeviceArray& b, const DeviceArray& out, Stream& stream) {
    Work work(stream);
    const cuda::BoxArray first = boxes_in(work, a, kValues, "a"), second = boxes_in(work, b, kValues, "b");
    const auto to = work.output<float, 2>(out, "out");
    require(to.shape(0) == first.n && to.shape(1) == second.n, "out is not [a, b]");
    work.run([&] { kernel(first, second, to.data, stream); });
}

void iou(const DeviceArray& a, const DeviceArray& b, const DeviceArray& out, Stream& stream) {
    overlaps<4>(cuda::iou, a, b, out, stream);
}

void rotated_iou(const DeviceArray& a, const DeviceArray& b, const DeviceArray& out, Stream& stream) {
    overlaps<5>(cuda::rotated_iou, a, b, out, stream);
}

cuda::BoxGroups box_groups(Work& work, const cuda::BoxArray& boxes, const DeviceArray* offsets, const DeviceArray& kept,
                           const DeviceArray& counts) {
    const cuda::Groups groups = groups_of(work, offsets, boxes.n);
    const auto kept_out = work.output<int32_t, 1>(kept, "kept");
    const auto counts_out = work.output<int32_t, 1>(counts, "counts");
    require(kept_out.shape(0) == boxes.n, "kept has another n than boxes");
    require(counts_out.shape(0) == groups.count, "counts has another number of groups than offsets");
    return {boxes.values, groups, kept_out.data, counts_out.data};
}

template <int kValues, void (*kKernel)(const cuda::BoxGroups&, const cuda::Suppression&, Stream&)>
void suppress(const DeviceArray& boxes, const DeviceArray& scores, const DeviceArray* offsets, double threshold,
              int64_t max_keep, const DeviceArray& kept, const DeviceArray& counts, Stream& stream) {
    Work work(stream);
    const cuda::BoxArray in = boxes_in(work, boxes, kValues, "boxes");
    const auto by = work.input<float, 1>(scores, "scores");
    const cuda::BoxGroups groups = box_groups(work, in, offsets, kept, counts);
    require(by.shape(0) == in.n, "scores has another n than boxes");
    require(0.0 <= threshold && threshold <= 1.0, "threshold is not 0..1");
    require(0 <= max_keep && max_keep < INT_MAX, "max_keep is below 0 or too large");
    work.run([&] { kKernel(groups, {by.data, threshold, static_cast<int>(max_keep)}, stream); });
}

template <void (*kKernel)(const cuda::BoxGroups&, double, Stream&)>
void judge(const DeviceArray& boxes, const DeviceArray* offsets, double limit, const DeviceArray& kept,
           const DeviceArray& counts, Stream& stream) {
    Work work(stream);
    const cuda::BoxGroups groups = box_groups(work, boxes_in(work, boxes, 4, "boxes"), offsets, kept, counts);
    require(limit >= 0.0, "limit is below 0");
    work.run([&] { kKernel(groups, limit, stream); });
}

template <class Function>
void bind_suppression(nb::module_& m, const char* name, Function function) {
    m.def(name, function, "boxes"_a, "scores"_a, "offsets"_a.none(), "threshold"_a, "max_keep"_a, "kept"_a, "counts"_a,
          "stream"_a);
}

template <class Function>
void bind_rule(nb::module_& m, const char* name, Function function) {
    m.def(name, function, "boxes"_a, "offsets"_a.none(), "limit"_a, "kept"_a, "counts"_a, "stream"_a);
}

}  // namespace

void bind_cuda_boxes(nb::module_& m) {
    m.def("iou", &iou, "a"_a, "b"_a, "out"_a, "stream"_a);
    m.def("rotated_iou", &rotated_iou, "a"_a, "b"_a, "out"_a, "stream"_a);
    bind_suppression(m, "nms", &suppress<4, cuda::nms>);
    bind_suppression(m, "rotated_nms", &suppress<5, cuda::rotated_nms>);
    bind_rule(m, "neighbour_overlap", &judge<cuda::neighbour_overlap>);
    bind_rule(m, "neighbour_shift", &judge<cuda::neighbour_shift>);
}
