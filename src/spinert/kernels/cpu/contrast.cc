// Contrast: tables of tiles, scratch and threads around the kernels of one ISA.
#include "contrast.h"

#include <atomic>
#include <cmath>
#include <memory>
#include <vector>

#include "parallel.h"

namespace spinert {
namespace {

constexpr int kLanes = 16;

// body(image, begin, end) for pixels begin..end of one image, cut anywhere between threads.
template <class Pixel, class Body>
void for_images(const Greys<Pixel>& images, int threads, const Body& body) {
    const size_t size = images.size();
    parallel_for(images.n * size, threads, [&](size_t, size_t begin, size_t end) {
        while (begin < end) {
            const size_t image = begin / size, stop = std::min(end, (image + 1) * size);
            body(image, begin, stop);
            begin = stop;
        }
    });
}

// The lowest level becomes 0: its pixels do not count. An image of one level stays as it is.
void equalizing_table(const std::atomic<uint32_t>* counts, uint32_t pixels, uint8_t* table) {
    int lowest = 0;
    while (counts[lowest] == 0) table[lowest++] = 0;
    const uint32_t others = pixels - counts[lowest];
    if (others == 0) {
        table[lowest] = static_cast<uint8_t>(lowest);
        return;
    }
    const float scale = 255.0f / static_cast<float>(static_cast<int32_t>(others));
    table[lowest] = 0;
    uint32_t count = 0;
    for (int level = lowest + 1; level < 256; ++level) {
        count += counts[level];
        table[level] = static_cast<uint8_t>(equalized(count, scale, 255));
    }
}

// Where the columns of an image lie between the centres of tiles.
struct Columns {
    std::vector<BetweenTiles> cells;
    std::vector<int> starts;
    std::vector<float> weights;

    Columns(TileAxis axis, int columns)
        : cells(axis.tiles + 1), starts(axis.tiles + 2, columns), weights(static_cast<size_t>(columns) + kLanes) {
        starts[0] = 0;
        for (int cell = 0; cell <= axis.tiles; ++cell) {
            cells[cell] = {std::max(cell - 1, 0), std::min(cell, axis.tiles - 1), 0.0f};
        }
        int cell = 0;
        for (int x = 0; x < columns; ++x) {
            const BetweenTiles between = between_tiles(x, axis.per_pixel, axis.tiles);
            weights[x] = between.weight;
            while (cells[cell].before != between.before || cells[cell].behind != between.behind) starts[++cell] = x;
        }
    }
};

template <class Pixel>
uint32_t levels_of(const Greys<Pixel>&, size_t, int) {
    return 256;
}
// Tables end at the highest level there is: most images have 12 of 16 bits.
template <>
uint32_t levels_of(const Greys<uint16_t>& images, size_t image, int threads) {
    const auto highest_level = contrast::active().highest;
    std::atomic<uint32_t> levels{1};
    parallel_for(images.size(), threads, [&](size_t, size_t begin, size_t end) {
        const uint32_t own = highest_level(images.pixels + image * images.size() + begin, end - begin) + 1u;
        uint32_t seen = levels;
        while (seen < own && !levels.compare_exchange_weak(seen, own)) {
        }
    });
    return levels;
}

template <class Pixel>
void make_cells(const Blend<Pixel>& blend, uint32_t* cells) {
    if constexpr (sizeof(Pixel) == 1) contrast::active().join_cells(blend, cells);
}

}  // namespace

void equalize_histogram(Greys<uint8_t> images, uint8_t* out, int threads) {
    const contrast::Kernels& kernels = contrast::active();
    const std::unique_ptr<std::atomic<uint32_t>[]> counts(new std::atomic<uint32_t>[images.n * 256]());
    for_images(images, threads, [&](size_t image, size_t begin, size_t end) {
        uint32_t own[kWays * 256] = {};
        kernels.count(images.pixels + begin, end - begin, own);
        for (uint32_t i = 0; i < kWays * 256; ++i) counts[image * 256 + i % 256] += own[i];
    });
    std::vector<uint8_t> tables(images.n * 256);
    for (size_t image = 0; image < images.n; ++image) {
        equalizing_table(&counts[image * 256], static_cast<uint32_t>(images.size()), &tables[image * 256]);
    }
    for_images(images, threads, [&](size_t image, size_t begin, size_t end) {
        kernels.look_up(images.pixels + begin, end - begin, &tables[image * 256], out + begin);
    });
}

template <class Pixel>
void clahe(Greys<Pixel> images, double clip_limit, TileGrid grid, Pixel* out, int threads) {
    constexpr uint32_t kLevels = static_cast<uint32_t>(static_cast<Pixel>(-1)) + 1;
    const auto& kernels = contrast::active_for<Pixel>();
    const auto [down, across] = axes_of(images.rows, images.columns, grid);
    const uint32_t clip = clip_limit_of(clip_limit, down.size, across.size, kLevels);
    const Columns columns(across, images.columns);
    const size_t tiles = static_cast<size_t>(down.tiles) * across.tiles;
    const size_t parts = std::min(static_cast<size_t>(threads), std::max(tiles, static_cast<size_t>(images.rows)));
    std::vector<Pixel> tables;
    std::vector<uint32_t> scratch;

    for (size_t image = 0; image < images.n; ++image) {
        const Pixel* pixels = images.pixels + image * images.size();
        const uint32_t levels = levels_of(images, image, threads);
        const size_t of_part = std::max<size_t>(ways_for(levels) * levels, (across.tiles + 1) * size_t{256});
        tables.resize(tiles * levels);
        scratch.resize(parts * of_part);
        parallel_for(tiles, threads, [&](size_t part, size_t begin, size_t end) {
            for (size_t i = begin; i < end; ++i) {
                const int top = static_cast<int>(i) / across.tiles * down.size;
                const int left = static_cast<int>(i) % across.tiles * across.size;
                const Tile<Pixel> tile = {pixels, images.rows, images.columns, top, left, down.size, across.size,
                                          clip,   levels};
                kernels.equalize_tile(tile, &scratch[part * of_part], &tables[i * levels]);
            }
        });
        parallel_for(static_cast<size_t>(images.rows), threads, [&](size_t part, size_t begin, size_t end) {
            uint32_t* cells = &scratch[part * of_part];
            const Pixel *above = nullptr, *below = nullptr;
            for (size_t y = begin; y < end; ++y) {
                const BetweenTiles between = between_tiles(static_cast<int>(y), down.per_pixel, down.tiles);
                const auto table = [&](int tile) { return &tables[static_cast<size_t>(tile) * across.tiles * levels]; };
                const Blend<Pixel> blend = {pixels + y * images.columns, images.columns, table(between.before),
                                            table(between.behind), levels, columns.cells.data(), columns.starts.data(),
                                            across.tiles, columns.weights.data(), between.weight};
                if (blend.above != above || blend.below != below) make_cells(blend, cells);
                above = blend.above;
                below = blend.below;
                kernels.blend_row(blend, cells, out + (image * images.rows + y) * images.columns);
            }
        });
    }
}

template void clahe<uint8_t>(Greys<uint8_t>, double, TileGrid, uint8_t*, int);
template void clahe<uint16_t>(Greys<uint16_t>, double, TileGrid, uint16_t*, int);

}  // namespace spinert
