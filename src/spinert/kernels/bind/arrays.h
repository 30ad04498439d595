// What the bindings of every family share: arrays that nanobind checks, and checks of our own.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <climits>

template <class T, int kRank>
using Array = nanobind::ndarray<T, nanobind::ndim<kRank>, nanobind::c_contig, nanobind::device::cpu>;
template <class T>
using Points = nanobind::ndarray<T, nanobind::shape<-1, 2>, nanobind::c_contig, nanobind::device::cpu>;

inline void require(bool condition, const char* what) {
    if (!condition) throw nanobind::value_error(what);
}

template <class A, class B>
void require_same_shape(const A& a, const B& b, const char* what) {
    bool same = a.ndim() == b.ndim();
    for (size_t axis = 0; same && axis < a.ndim(); ++axis) same = a.shape(axis) == b.shape(axis);
    require(same, what);
}

// One for each family, in a file of its name; the order of the calls is that of the stub.
void bind_radiograph(nanobind::module_& m);
void bind_intensity(nanobind::module_& m);
void bind_contrast(nanobind::module_& m);
void bind_resample(nanobind::module_& m);
void bind_crops(nanobind::module_& m);
void bind_heatmaps(nanobind::module_& m);
void bind_boxes(nanobind::module_& m);
void bind_clusters(nanobind::module_& m);
void bind_curves(nanobind::module_& m);
void bind_midlines(nanobind::module_& m);
void bind_components(nanobind::module_& m);
void bind_tiles(nanobind::module_& m);
void bind_votes(nanobind::module_& m);
void bind_angles(nanobind::module_& m);
