// Contrast of grey images.
#include "../cpu/contrast.h"

#include <cmath>

#include "apart.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// [n, rows, columns] or one image [rows, columns].
template <class T>
using Images = nb::ndarray<T, nb::c_contig, nb::device::cpu>;

template <class Pixel>
spinert::Greys<Pixel> greys(const Images<const Pixel>& images, const Images<Pixel>& out, int threads) {
    require(images.ndim() == 2 || images.ndim() == 3, "images are neither one image nor several");
    const size_t n = images.ndim() == 3 ? images.shape(0) : 1;
    const size_t rows = images.shape(images.ndim() - 2), columns = images.shape(images.ndim() - 1);
    require(rows > 0 && columns > 0, "images have no pixels");
    require(rows < INT_MAX / 2 && columns < INT_MAX / 2 && columns < INT_MAX / 2 / rows, "images are too large");
    require(out.ndim() == images.ndim() && out.size() == images.size() && out.shape(out.ndim() - 1) == columns &&
                out.shape(out.ndim() - 2) == rows,
            "out has another shape than the images");
    require_apart("out shares memory with the images", out, images);
    require(threads >= 1, "threads is below 1");
    return {images.data(), n, static_cast<int>(rows), static_cast<int>(columns)};
}

void equalize_histogram(Images<const uint8_t> images, Images<uint8_t> out, int threads) {
    const auto checked = greys<uint8_t>(images, out, threads);
    nb::gil_scoped_release unlocked;
    spinert::equalize_histogram(checked, out.data(), threads);
}

template <class Pixel>
void clahe(Images<const Pixel> images, double clip_limit, int tile_rows, int tile_columns, Images<Pixel> out,
           int threads) {
    const auto checked = greys<Pixel>(images, out, threads);
    require(clip_limit >= 0.0, "clip_limit is below 0");
    require(1 <= tile_rows && tile_rows <= 256 && 1 <= tile_columns && tile_columns <= 256, "tiles are not 1..256");
    nb::gil_scoped_release unlocked;
    spinert::clahe(checked, clip_limit, {tile_rows, tile_columns}, out.data(), threads);
}

template <class Pixel>
void bind_clahe(nb::module_& m) {
    m.def("clahe", &clahe<Pixel>, "images"_a.noconvert(), "clip_limit"_a, "tile_rows"_a, "tile_columns"_a,
          "out"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_contrast(nb::module_& m) {
    m.def("equalize_histogram", &equalize_histogram, "images"_a.noconvert(), "out"_a.noconvert(), "threads"_a);
    bind_clahe<uint8_t>(m);
    bind_clahe<uint16_t>(m);
}
