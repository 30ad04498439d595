// Volumes to other grids, on the device.
#include "../cuda/resample.h"
#include "cuda_volumes.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

void resample_volume(const DeviceArray& volume, const Triple& step, const Triple& origin,
                     const std::array<float, 4>& window, const DeviceArray& out, Stream& stream) {
    const StoredWindow stored = window_of(window);
    for_voxels(volume, [&](auto voxel) {
        Work work(stream);
        const auto in = work.input<decltype(voxel), 3>(volume, "volume");
        const auto result = work.output<float, 3>(out, "out");
        const auto checked = volume_of(in.data, in.shape(0), in.shape(1), in.shape(2));
        const ResampleGrid grid = grid_of(step, origin, result);
        work.run([&] { cuda::resample_volume(checked, grid, stored, result.data, stream); });
    });
}

template <class Label>
void resample_labels_of(const DeviceArray& labels, const Triple& step, const Triple& origin, const DeviceArray& out,
                        Stream& stream) {
    Work work(stream);
    const auto in = work.input<Label, 3>(labels, "labels");
    const auto result = work.output<Label, 3>(out, "out");
    const auto checked = volume_of(in.data, in.shape(0), in.shape(1), in.shape(2));
    const ResampleGrid grid = grid_of(step, origin, result);
    work.run([&] { cuda::resample_labels(checked, grid, result.data, stream); });
}

void resample_labels(const DeviceArray& labels, const Triple& step, const Triple& origin, const DeviceArray& out,
                     Stream& stream) {
    const bool narrow = labels.dtype == cuda::dtype_of<uint8_t>();
    (narrow ? resample_labels_of<uint8_t> : resample_labels_of<uint16_t>)(labels, step, origin, out, stream);
}

}  // namespace

void bind_cuda_resample(nb::module_& m) {
    m.def("resample_volume", &resample_volume, "volume"_a, "step"_a, "origin"_a, "window"_a, "out"_a, "stream"_a);
    m.def("resample_labels", &resample_labels, "labels"_a, "step"_a, "origin"_a, "out"_a, "stream"_a);
}
