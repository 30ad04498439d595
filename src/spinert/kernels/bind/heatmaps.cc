// Heat-maps to points.
#include "../cpu/heatmaps.h"
#include "arrays.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

spinert::Maps heatmaps(const Array<const float, 3>& maps, const Points<float>& xy, const Array<float, 1>& scalar) {
    require(maps.shape(1) > 0 && maps.shape(2) > 0, "maps have no cells");
    require(maps.shape(1) * maps.shape(2) < INT_MAX / 2, "maps are too large");
    require(xy.shape(0) == maps.shape(0) && scalar.shape(0) == maps.shape(0), "outputs have another n than the maps");
    return {maps.data(), maps.shape(0), static_cast<int>(maps.shape(1)), static_cast<int>(maps.shape(2))};
}

void soft_argmax(Array<const float, 3> maps, int radius, Points<float> xy, Array<float, 1> confidence, int threads) {
    const spinert::Maps checked = heatmaps(maps, xy, confidence);
    require(0 <= radius && radius < INT_MAX / 2, "radius is below 0 or too large");
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::soft_argmax(checked, radius, xy.data(), confidence.data(), threads);
}

void peak(Array<const float, 3> maps, Points<float> xy, Array<float, 1> value, int threads) {
    const spinert::Maps checked = heatmaps(maps, xy, value);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::peak(checked, xy.data(), value.data(), threads);
}

}  // namespace

void bind_heatmaps(nb::module_& m) {
    m.def("soft_argmax", &soft_argmax, "maps"_a.noconvert(), "radius"_a, "xy"_a.noconvert(),
          "confidence"_a.noconvert(), "threads"_a);
    m.def("peak", &peak, "maps"_a.noconvert(), "xy"_a.noconvert(), "value"_a.noconvert(), "threads"_a);
}
