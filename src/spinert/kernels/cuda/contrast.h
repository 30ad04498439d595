// Contrast of grey images on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include <cstddef>

#include "../math/equalize.h"
#include "stream.h"

namespace spinert::cuda {

// Images [n, rows, columns] of at least one pixel and less than 2**31.
template <class Pixel>
struct Greys {
    const Pixel* pixels;
    size_t n;
    int rows, columns;
    size_t size() const { return static_cast<size_t>(rows) * static_cast<size_t>(columns); }
};

void equalize_histogram(const Greys<uint8_t>& images, uint8_t* out, Stream& stream);

// Scratch: a histogram and a table for each tile, with every level that the pixels' type has.
template <class Pixel>
void clahe(const Greys<Pixel>& images, double clip_limit, TileGrid grid, Pixel* out, Stream& stream);

}  // namespace spinert::cuda
