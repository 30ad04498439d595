// Volumes to other grids.
#include "../cpu/resample.h"
#include "apart.h"
#include "volumes.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class Voxel>
void resample_volume(Array<const Voxel, 3> volume, Triple step, Triple origin, std::array<float, 4> window,
                     Array<float, 3> out, int threads) {
    const auto checked = volume_of(volume.data(), volume.shape(0), volume.shape(1), volume.shape(2));
    const spinert::ResampleGrid grid = grid_of(step, origin, out);
    const spinert::StoredWindow stored = window_of(window);
    require_apart("out shares memory with the volume", out, volume);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::resample_volume(checked, grid, stored, out.data(), threads);
}

template <class Label>
void resample_labels(Array<const Label, 3> labels, Triple step, Triple origin, Array<Label, 3> out, int threads) {
    const auto checked = volume_of(labels.data(), labels.shape(0), labels.shape(1), labels.shape(2));
    const spinert::ResampleGrid grid = grid_of(step, origin, out);
    require_apart("out shares memory with labels", out, labels);
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
