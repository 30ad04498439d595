// A radiograph's window and its resize, on the device.
#include "cuda_arrays.h"

#include "../cuda/radiograph.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

template <class Pixel>
cuda::Radiograph<Pixel> radiograph(Work& work, const DeviceArray& array) {
    const auto pixels = work.input<Pixel, 2>(array, "pixels");
    require(pixels.size() > 0, "pixels is empty");
    require(pixels.shape(0) < INT_MAX / 2 && pixels.shape(1) < INT_MAX / 2, "pixels is too large");
    require(pixels.size() <= UINT_MAX, "pixels is too large");
    return {pixels.data, static_cast<int>(pixels.shape(0)), static_cast<int>(pixels.shape(1))};
}

template <class Pixel>
void order_statistics_of(const DeviceArray& pixels, uint64_t rank_low, uint64_t rank_high, const DeviceArray& window,
                         Stream& stream) {
    Work work(stream);
    const auto image = radiograph<Pixel>(work, pixels);
    require(1 <= rank_low && rank_low <= rank_high && rank_high <= image.size(),
            "ranks are not 1 <= low <= high <= pixels");
    const auto out = work.output<int32_t, 1>(window, "window");
    require(out.size() == 2, "window is not [2]");
    const auto low = static_cast<uint32_t>(rank_low), high = static_cast<uint32_t>(rank_high);
    work.run([&] { cuda::order_statistics(image, low, high, out.data, stream); });
}

template <class Pixel>
void window_resize_of(const DeviceArray& pixels, const DeviceArray& window, bool inverted, int top, int left, int rows,
                      int columns, const DeviceArray& out, Stream& stream) {
    Work work(stream);
    const auto image = radiograph<Pixel>(work, pixels);
    const auto values = work.input<int32_t, 1>(window, "window");
    require(values.size() == 2, "window is not [2]");
    const auto resized = work.output<float, 2>(out, "out");
    require(resized.shape(0) < INT_MAX / 2 && resized.shape(1) < INT_MAX / 2, "out is too large");
    const int height = static_cast<int>(resized.shape(0)), width = static_cast<int>(resized.shape(1));
    require(0 <= top && 1 <= rows && rows <= height && top <= height - rows, "image rows do not lie within out");
    require(0 <= left && 1 <= columns && columns <= width && left <= width - columns,
            "image columns do not lie within out");
    const cuda::Placement place = {top, left, rows, columns, height, width};
    work.run([&] { cuda::window_resize(image, values.data, inverted, place, resized.data, stream); });
}

bool of_bytes(const DeviceArray& pixels) { return pixels.dtype == cuda::dtype_of<uint8_t>(); }

void order_statistics(const DeviceArray& pixels, uint64_t rank_low, uint64_t rank_high, const DeviceArray& window,
                      Stream& stream) {
    const auto run = of_bytes(pixels) ? order_statistics_of<uint8_t> : order_statistics_of<uint16_t>;
    run(pixels, rank_low, rank_high, window, stream);
}

void window_resize(const DeviceArray& pixels, const DeviceArray& window, bool inverted, int top, int left, int rows,
                   int columns, const DeviceArray& out, Stream& stream) {
    const auto run = of_bytes(pixels) ? window_resize_of<uint8_t> : window_resize_of<uint16_t>;
    run(pixels, window, inverted, top, left, rows, columns, out, stream);
}

}  // namespace

void bind_cuda_radiograph(nb::module_& m) {
    m.def("order_statistics", &order_statistics, "pixels"_a, "rank_low"_a, "rank_high"_a, "window"_a, "stream"_a);
    m.def("window_resize", &window_resize, "pixels"_a, "window"_a, "inverted"_a, "top"_a, "left"_a, "rows"_a,
          "columns"_a, "out"_a, "stream"_a);
}
