// Volumes to other grids.
#include <nanobind/stl/array.h>

#include <array>
#include <cmath>

#include "../cpu/resample.h"
#include "arrays.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Triple = std::array<double, 3>;  // along slices, rows, columns

template <class Voxel>
spinert::Volume<Voxel> volume_of(const Array<const Voxel, 3>& volume) {
    require(volume.size() > 0, "volume is empty");
    for (size_t axis = 0; axis < 3; ++axis) require(volume.shape(axis) < INT_MAX / 2, "volume is too large");
    return {volume.data(), static_cast<int>(volume.shape(0)), static_cast<int>(volume.shape(1)),
            static_cast<int>(volume.shape(2))};
}

template <class Out>
spinert::ResampleGrid grid_of(const Triple& step, const Triple& origin, const Array<Out, 3>& out) {
    for (size_t axis = 0; axis < 3; ++axis) {
        require(step[axis] > 0.0 && std::isfinite(step[axis]), "step is not finite and above 0");
        require(std::isfinite(origin[axis]), "origin is not finite");
        require(out.shape(axis) < INT_MAX / 2, "out is too large");
    }
    return {static_cast<int>(out.shape(0)), static_cast<int>(out.shape(1)), static_cast<int>(out.shape(2)),
            {step[0], origin[0]},           {step[1], origin[1]},           {step[2], origin[2]}};
}

template <class Voxel>
void resample_volume(Array<const Voxel, 3> volume, Triple step, Triple origin, std::array<float, 4> window,
                     Array<float, 3> out, int threads) {
    const auto checked = volume_of<Voxel>(volume);
    const spinert::ResampleGrid grid = grid_of(step, origin, out);
    require(std::isfinite(window[0]) && std::isfinite(window[3]), "window has a shift or a factor that is not finite");
    require(window[1] <= window[2], "window is not least <= most");
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::resample_volume(checked, grid, {window[0], window[1], window[2], window[3]}, out.data(), threads);
}

template <class Label>
void resample_labels(Array<const Label, 3> labels, Triple step, Triple origin, Array<Label, 3> out, int threads) {
    const auto checked = volume_of<Label>(labels);
    const spinert::ResampleGrid grid = grid_of(step, origin, out);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::resample_labels(checked, grid, out.data(), threads);
}

template <class Voxel>
void bind_voxels(nb::module_& m) {
    m.def("resample_volume", &resample_volume<Voxel>, "volume"_a.noconvert(), "step"_a, "origin"_a, "window"_a,
          "out"_a.noconvert(), "threads"_a);
}

template <class Label>
void bind_labels(nb::module_& m) {
    m.def("resample_labels", &resample_labels<Label>, "labels"_a.noconvert(), "step"_a, "origin"_a,
          "out"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_resample(nb::module_& m) {
    bind_voxels<uint8_t>(m);
    bind_voxels<int16_t>(m);
    bind_voxels<uint16_t>(m);
    bind_voxels<float>(m);
    bind_labels<uint8_t>(m);
    bind_labels<uint16_t>(m);
}
