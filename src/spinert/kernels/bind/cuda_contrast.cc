// Contrast of grey images, on the device.
#include "cuda_arrays.h"

#include "../cuda/contrast.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

// [n, rows, columns] or one image [rows, columns].
template <class Pixel>
struct Taken {
    cuda::Greys<Pixel> images;
    Pixel* out;
};

template <class Pixel>
Taken<Pixel> take(Work& work, const DeviceArray& images, const DeviceArray& out) {
    const size_t rank = images.shape.size();
    const Pixel* pixels =
        rank == 2 ? work.input<Pixel, 2>(images, "images").data : work.input<Pixel, 3>(images, "images").data;
    require(out.shape == images.shape, "out has another shape than the images");
    Pixel* to = rank == 2 ? work.output<Pixel, 2>(out, "out").data : work.output<Pixel, 3>(out, "out").data;
    const size_t n = rank == 3 ? images.shape[0] : 1, rows = images.shape[rank - 2], columns = images.shape[rank - 1];
    require(rows > 0 && columns > 0, "images have no pixels");
    require(rows < INT_MAX / 2 && columns < INT_MAX / 2 && columns < INT_MAX / 2 / rows, "images are too large");
    require(n < INT_MAX, "images are too many");
    return {{pixels, n, static_cast<int>(rows), static_cast<int>(columns)}, to};
}

void equalize_histogram(const DeviceArray& images, const DeviceArray& out, Stream& stream) {
    Work work(stream);
    const auto taken = take<uint8_t>(work, images, out);
    work.run([&] { cuda::equalize_histogram(taken.images, taken.out, stream); });
}

template <class Pixel>
void clahe_of(const DeviceArray& images, double clip_limit, TileGrid grid, const DeviceArray& out, Stream& stream) {
    Work work(stream);
    const auto taken = take<Pixel>(work, images, out);
    require(clip_limit >= 0.0, "clip_limit is below 0");
    require(1 <= grid.rows && grid.rows <= 256 && 1 <= grid.columns && grid.columns <= 256, "tiles are not 1..256");
    work.run([&] { cuda::clahe(taken.images, clip_limit, grid, taken.out, stream); });
}

void clahe(const DeviceArray& images, double clip_limit, int tile_rows, int tile_columns, const DeviceArray& out,
           Stream& stream) {
    const bool wide = images.dtype == cuda::dtype_of<uint16_t>();
    (wide ? clahe_of<uint16_t> : clahe_of<uint8_t>)(images, clip_limit, {tile_rows, tile_columns}, out, stream);
}

}  // namespace

void bind_cuda_contrast(nb::module_& m) {
    m.def("equalize_histogram", &equalize_histogram, "images"_a, "out"_a, "stream"_a);
    m.def("clahe", &clahe, "images"_a, "clip_limit"_a, "tile_rows"_a, "tile_columns"_a, "out"_a, "stream"_a);
}
