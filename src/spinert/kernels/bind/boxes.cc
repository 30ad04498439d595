// Boxes that overlap.
#include "../cpu/boxes.h"

#include <nanobind/stl/optional.h>

#include "apart.h"
#include "groups.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T, int kValues>
using Rows = nb::ndarray<T, nb::shape<-1, kValues>, nb::c_contig, nb::device::cpu>;
template <int kValues>
using Boxes = Rows<const float, kValues>;
using Places = Array<int32_t, 1>;

template <int kValues>
spinert::BoxGroups box_groups(const Boxes<kValues>& boxes, const Offsets& offsets, const Places& kept,
                              const Places& counts, int threads) {
    const size_t n = boxes.shape(0);
    require(n < INT_MAX, "boxes are too many");
    const spinert::Groups groups = groups_of(offsets, n);
    require(kept.shape(0) == n, "kept has another n than boxes");
    require(counts.shape(0) == groups.count, "counts has another number of groups than offsets");
    require(apart(boxes, kept) && apart(boxes, counts) && apart(kept, counts), "outputs share memory");
    require_apart_from_offsets(offsets, kept, counts);
    require(threads >= 1, "threads is below 1");
    return {boxes.data(), groups, kept.data(), counts.data()};
}

template <int kValues, void (*kKernel)(spinert::BoxArray, spinert::BoxArray, float*, int)>
void overlaps(Boxes<kValues> a, Boxes<kValues> b, Array<float, 2> out, int threads) {
    require(out.shape(0) == a.shape(0) && out.shape(1) == b.shape(0), "out is not [a, b]");
    require(apart(a, out) && apart(b, out), "out shares memory with a or b");
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    kKernel({a.data(), a.shape(0)}, {b.data(), b.shape(0)}, out.data(), threads);
}

template <int kValues, void (*kKernel)(spinert::BoxGroups, spinert::Suppression, int)>
void suppress(Boxes<kValues> boxes, Array<const float, 1> scores, Offsets offsets, double threshold, int64_t max_keep,
              Places kept, Places counts, int threads) {
    const spinert::BoxGroups groups = box_groups<kValues>(boxes, offsets, kept, counts, threads);
    require(scores.shape(0) == boxes.shape(0), "scores has another n than boxes");
    require(apart(scores, kept) && apart(scores, counts), "outputs share memory with scores");
    require(0.0 <= threshold && threshold <= 1.0, "threshold is not 0..1");
    require(0 <= max_keep && max_keep < INT_MAX, "max_keep is below 0 or too large");
    nb::gil_scoped_release unlocked;
    kKernel(groups, {scores.data(), threshold, static_cast<uint32_t>(max_keep)}, threads);
}

template <void (*kKernel)(spinert::BoxGroups, double, int)>
void judge(Boxes<4> boxes, Offsets offsets, double limit, Places kept, Places counts, int threads) {
    const spinert::BoxGroups groups = box_groups<4>(boxes, offsets, kept, counts, threads);
    require(limit >= 0.0, "limit is below 0");
    nb::gil_scoped_release unlocked;
    kKernel(groups, limit, threads);
}

template <class Function>
void bind_suppression(nb::module_& m, const char* name, Function function) {
    m.def(name, function, "boxes"_a.noconvert(), "scores"_a.noconvert(), "offsets"_a.noconvert().none(), "threshold"_a,
          "max_keep"_a, "kept"_a.noconvert(), "counts"_a.noconvert(), "threads"_a);
}

template <class Function>
void bind_rule(nb::module_& m, const char* name, Function function) {
    m.def(name, function, "boxes"_a.noconvert(), "offsets"_a.noconvert().none(), "limit"_a, "kept"_a.noconvert(),
          "counts"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_boxes(nb::module_& m) {
    m.def("iou", &overlaps<4, spinert::iou>, "a"_a.noconvert(), "b"_a.noconvert(), "out"_a.noconvert(), "threads"_a);
    m.def("rotated_iou", &overlaps<5, spinert::rotated_iou>, "a"_a.noconvert(), "b"_a.noconvert(),
          "out"_a.noconvert(), "threads"_a);
    bind_suppression(m, "nms", &suppress<4, spinert::nms>);
    bind_suppression(m, "rotated_nms", &suppress<5, spinert::rotated_nms>);
    bind_rule(m, "neighbour_overlap", &judge<spinert::neighbour_overlap>);
    bind_rule(m, "neighbour_shift", &judge<spinert::neighbour_shift>);
}
