// What the bindings of volumes check alike on the CPU and on the device. Include it behind arrays.h or cuda_arrays.h,
// which have `require`.
#pragma once

#include <nanobind/stl/array.h>

#include <array>
#include <cmath>

#include "../math/volume.h"

using Triple = std::array<double, 3>;  // along slices, rows, columns

template <class Voxel>
spinert::Volume<Voxel> volume_of(const Voxel* voxels, size_t slices, size_t rows, size_t columns) {
    require(slices > 0 && rows > 0 && columns > 0, "the volume is empty");
    require(slices < INT_MAX / 2 && rows < INT_MAX / 2 && columns < INT_MAX / 2, "the volume is too large");
    return {voxels, static_cast<int>(slices), static_cast<int>(rows), static_cast<int>(columns)};
}

template <class Out>
spinert::ResampleGrid grid_of(const Triple& step, const Triple& origin, const Out& out) {
    for (size_t axis = 0; axis < 3; ++axis) {
        require(step[axis] > 0.0 && std::isfinite(step[axis]), "step is not finite and above 0");
        require(std::isfinite(origin[axis]), "origin is not finite");
        require(out.shape(axis) < INT_MAX / 2, "out is too large");
    }
    return {static_cast<int>(out.shape(0)), static_cast<int>(out.shape(1)), static_cast<int>(out.shape(2)),
            {step[0], origin[0]},           {step[1], origin[1]},           {step[2], origin[2]}};
}

inline spinert::StoredWindow window_of(const std::array<float, 4>& window) {
    require(std::isfinite(window[0]) && std::isfinite(window[3]), "window has a shift or a factor that is not finite");
    require(window[1] <= window[2], "window is not least <= most");
    return {window[0], window[1], window[2], window[3]};
}

// Of crops: maps [n, axes, axes + 1], out [n, channels or slices, rows, columns].
template <class Maps, class Out>
void check_crops(size_t voxels, const Maps& maps, size_t axes, const Out& out) {
    require(voxels < INT_MAX, "the volume is too large");
    require(maps.shape(1) == axes && maps.shape(2) == axes + 1, "maps is not [n, axes, axes + 1]");
    require(out.shape(0) == maps.shape(0), "out has another n than maps");
    for (size_t axis = 1; axis < 4; ++axis) require(out.shape(axis) < INT_MAX / 2, "out is too large");
}
