// Heat-maps to points, on the device.
#include "cuda_arrays.h"

#include "../cuda/heatmaps.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

cuda::Maps checked(const View<const float, 3>& maps, const View<float, 2>& xy, const View<float, 1>& scalar) {
    require(maps.shape(1) > 0 && maps.shape(2) > 0, "maps have no cells");
    require(maps.shape(1) < INT_MAX / 2 && maps.shape(2) < INT_MAX / 2, "maps are too large");
    require(maps.shape(1) * maps.shape(2) < INT_MAX / 2, "maps are too large");
    require(maps.shape(0) < INT_MAX, "maps are too many");
    require(xy.shape(0) == maps.shape(0) && xy.shape(1) == 2, "xy is not [n, 2]");
    require(scalar.shape(0) == maps.shape(0), "outputs have another n than the maps");
    return {maps.data, maps.shape(0), static_cast<int>(maps.shape(1)), static_cast<int>(maps.shape(2))};
}

void soft_argmax(const DeviceArray& maps, int radius, const DeviceArray& xy, const DeviceArray& confidence,
                 Stream& stream) {
    Work work(stream);
    const auto in = work.input<float, 3>(maps, "maps");
    const auto xy_out = work.output<float, 2>(xy, "xy");
    const auto confidence_out = work.output<float, 1>(confidence, "confidence");
    const cuda::Maps of = checked(in, xy_out, confidence_out);
    require(0 <= radius && radius < INT_MAX / 2, "radius is below 0 or too large");
    work.run([&] { cuda::soft_argmax(of, radius, xy_out.data, confidence_out.data, stream); });
}

void peak(const DeviceArray& maps, const DeviceArray& xy, const DeviceArray& value, Stream& stream) {
    Work work(stream);
    const auto in = work.input<float, 3>(maps, "maps");
    const auto xy_out = work.output<float, 2>(xy, "xy");
    const auto value_out = work.output<float, 1>(value, "value");
    const cuda::Maps of = checked(in, xy_out, value_out);
    work.run([&] { cuda::peak(of, xy_out.data, value_out.data, stream); });
}

}  // namespace

void bind_cuda_heatmaps(nb::module_& m) {
    m.def("soft_argmax", &soft_argmax, "maps"_a, "radius"_a, "xy"_a, "confidence"_a, "stream"_a);
    m.def("peak", &peak, "maps"_a, "xy"_a, "value"_a, "stream"_a);
}
