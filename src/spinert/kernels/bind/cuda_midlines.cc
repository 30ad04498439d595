// The line in the middle of a mask, on the device.
#include "../cuda/midlines.h"
#include "cuda_arrays.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

void mask_midline(const DeviceArray& mask, const DeviceArray& midline, const DeviceArray& borders, Stream& stream) {
    Work work(stream);
    const auto in = work.input<uint8_t, 2>(mask, "mask");
    const auto middle = work.output<double, 1>(midline, "midline");
    const auto both = work.output<double, 2>(borders, "borders");
    require(middle.shape(0) == in.shape(0) && both.shape(0) == in.shape(0) && both.shape(1) == 2,
            "outputs have another number of rows than mask");
    work.run([&] { cuda::mask_midline({in.data, in.shape(0), in.shape(1)}, middle.data, both.data, stream); });
}

void border_midpoints(const DeviceArray& borders, const DeviceArray& midpoints, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 2>(borders, "borders");
    const auto out = work.output<double, 3>(midpoints, "midpoints");
    require(in.shape(1) == 2, "borders are not [rows, 2]");
    require(out.shape(0) == 2 && out.shape(1) == in.shape(0) && out.shape(2) == 2,
            "midpoints has another number of rows than borders");
    work.run([&] { cuda::border_midpoints(in.data, in.shape(0), out.data, stream); });
}

}  // namespace

void bind_cuda_midlines(nb::module_& m) {
    m.def("mask_midline", &mask_midline, "mask"_a, "midline"_a, "borders"_a, "stream"_a);
    m.def("border_midpoints", &border_midpoints, "borders"_a, "midpoints"_a, "stream"_a);
}
