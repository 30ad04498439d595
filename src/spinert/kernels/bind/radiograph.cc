// Order statistics and windowed resize.
#include "../cpu/radiograph.h"
#include "apart.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class Pixel>
spinert::Radiograph<Pixel> radiograph(const Array<const Pixel, 2>& pixels) {
    require(pixels.size() > 0, "pixels is empty");
    require(pixels.size() <= UINT_MAX && pixels.shape(0) < INT_MAX / 2 && pixels.shape(1) < INT_MAX / 2,
            "pixels is too large");
    return {pixels.data(), static_cast<int>(pixels.shape(0)), static_cast<int>(pixels.shape(1))};
}

template <class Pixel>
void order_statistics(Array<const Pixel, 2> pixels, uint64_t rank_low, uint64_t rank_high, Array<int32_t, 1> window,
                      int threads) {
    const auto image = radiograph<Pixel>(pixels);
    require(1 <= rank_low && rank_low <= rank_high && rank_high <= pixels.size(),
            "ranks are not 1 <= low <= high <= pixels");
    require(window.size() == 2, "window is not [2]");
    require_apart("window shares memory with pixels", window, pixels);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    const spinert::Ranked ranked = spinert::order_statistics(image, rank_low, rank_high, threads);
    window.data()[0] = ranked.low;
    window.data()[1] = ranked.high;
}

template <class Pixel>
void window_resize(Array<const Pixel, 2> pixels, Array<const int32_t, 1> window, bool inverted, int top, int left,
                   int rows, int columns, Array<float, 2> out, int threads) {
    const auto image = radiograph<Pixel>(pixels);
    require(window.size() == 2, "window is not [2]");
    const int low = window.data()[0], high = window.data()[1];
    require(0 <= low && low <= high && high <= static_cast<Pixel>(-1), "window is not 0 <= low <= high <= largest");
    require(out.shape(0) < INT_MAX / 2 && out.shape(1) < INT_MAX / 2, "out is too large");
    const int height = static_cast<int>(out.shape(0)), width = static_cast<int>(out.shape(1));
    require(0 <= top && 1 <= rows && rows <= height && top <= height - rows, "image rows do not lie within out");
    require(0 <= left && 1 <= columns && columns <= width && left <= width - columns,
            "image columns do not lie within out");
    require_apart("out shares memory with pixels", out, pixels);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::window_resize(image, {low, high, inverted}, {top, left, rows, columns}, height, width, out.data(),
                           threads);
}

template <class Pixel>
void bind_pixels(nb::module_& m) {
    m.def("order_statistics", &order_statistics<Pixel>, "pixels"_a.noconvert(), "rank_low"_a, "rank_high"_a,
          "window"_a.noconvert(), "threads"_a);
    m.def("window_resize", &window_resize<Pixel>, "pixels"_a.noconvert(), "window"_a.noconvert(), "inverted"_a,
          "top"_a, "left"_a, "rows"_a, "columns"_a, "out"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_radiograph(nb::module_& m) {
    bind_pixels<uint8_t>(m);
    bind_pixels<uint16_t>(m);
}
