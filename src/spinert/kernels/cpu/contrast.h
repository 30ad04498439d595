// Contrast of grey images: their histogram spread out, as a whole or tile by tile.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../math/equalize.h"
#include "isa.h"

namespace spinert {

// Images [n, rows, columns] of at least one pixel and less than 2**31.
template <class Pixel>
struct Greys {
    const Pixel* pixels;
    size_t n;
    int rows, columns;
    size_t size() const { return static_cast<size_t>(rows) * columns; }
};

void equalize_histogram(Greys<uint8_t> images, uint8_t* out, int threads);

// A clip limit of 0 clips nothing.
template <class Pixel>
void clahe(Greys<Pixel> images, double clip_limit, TileGrid grid, Pixel* out, int threads);

// Pixels are counted in several histograms by turns, so that equal neighbours do not wait for each other; in one where
// several would not fit the nearer caches.
constexpr uint32_t kWays = 4;
inline constexpr uint32_t ways_for(uint32_t levels) { return levels <= 4096 ? kWays : 1; }

// A tile of an image that mirrored pixels continue to the right and below.
template <class Pixel>
struct Tile {
    const Pixel* image;
    int rows, columns;                // of the image
    int top, left, height, width;     // of the tile
    uint32_t clip_limit, levels;      // levels: one more than the highest of the image
};

// A row of an image between two rows of tiles.
template <class Pixel>
struct Blend {
    const Pixel* pixels;
    int columns;
    const Pixel *above, *below;  // tables of those rows of tiles, [tiles, levels]
    uint32_t levels;
    const BetweenTiles* cells;  // [tiles + 1] of the columns
    const int* starts;     // [tiles + 2] first column of each cell
    int tiles;
    const float* weights;  // of the tile to the right, for each column
    float weight;          // of the row of tiles below
};

namespace contrast {

template <class Pixel>
struct PixelKernels {
    // table [levels] of a tile; `counts` is scratch of ways_for(levels) * levels
    void (*equalize_tile)(const Tile<Pixel>& tile, uint32_t* counts, Pixel* table);
    // `cells` is what `join_cells` made, not used for 16 bits
    void (*blend_row)(const Blend<Pixel>& blend, const uint32_t* cells, Pixel* out);
};

struct Kernels {
    // adds to counts [kWays, 256]
    void (*count)(const uint8_t* pixels, size_t n, uint32_t* counts);
    void (*look_up)(const uint8_t* pixels, size_t n, const uint8_t* table, uint8_t* out);
    uint16_t (*highest)(const uint16_t* pixels, size_t n);
    void (*join_cells)(const Blend<uint8_t>& blend, uint32_t* cells);
    PixelKernels<uint8_t> u8;
    PixelKernels<uint16_t> u16;
};
SPINERT_TABLES

template <class Pixel>
const PixelKernels<Pixel>& active_for();
template <>
inline const PixelKernels<uint8_t>& active_for() {
    return active().u8;
}
template <>
inline const PixelKernels<uint16_t>& active_for() {
    return active().u16;
}

}  // namespace contrast
}  // namespace spinert
