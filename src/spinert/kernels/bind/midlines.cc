// The line in the middle of a mask.
#include "../cpu/midlines.h"

#include "apart.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Midpoints = nb::ndarray<double, nb::shape<2, -1, 2>, nb::c_contig, nb::device::cpu>;

void mask_midline(Array<const uint8_t, 2> mask, Array<double, 1> midline, Points<double> borders, int threads) {
    const size_t rows = mask.shape(0);
    require(midline.shape(0) == rows && borders.shape(0) == rows, "outputs have another number of rows than mask");
    require_apart("midline shares memory with another array", midline, mask, borders);
    require_apart("borders share memory with mask", borders, mask);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::mask_midline({mask.data(), rows, mask.shape(1)}, midline.data(), borders.data(), threads);
}

void border_midpoints(Points<const double> borders, Midpoints midpoints, int threads) {
    require(midpoints.shape(1) == borders.shape(0), "midpoints has another number of rows than borders");
    require_apart("midpoints shares memory with borders", midpoints, borders);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::border_midpoints(borders.data(), borders.shape(0), midpoints.data(), threads);
}

}  // namespace

void bind_midlines(nb::module_& m) {
    m.def("mask_midline", &mask_midline, "mask"_a.noconvert(), "midline"_a.noconvert(), "borders"_a.noconvert(),
          "threads"_a);
    m.def("border_midpoints", &border_midpoints, "borders"_a.noconvert(), "midpoints"_a.noconvert(), "threads"_a);
}
