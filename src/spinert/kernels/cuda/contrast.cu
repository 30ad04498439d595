// Contrast of grey images: histograms by integer atomics, which no order of threads changes, a block for each table,
// and a thread for each pixel that looks its new level up.
#include "contrast.h"

#include "voxels.cuh"

namespace spinert::cuda {
namespace {

constexpr unsigned kThreads = 256;
constexpr unsigned kGreys = 256;

// ---- a whole image's histogram

template <bool kPacked>
__global__ void __launch_bounds__(kThreads)
count_images(const uint8_t* pixels, size_t n, size_t size, unsigned* counts) {
    __shared__ unsigned own[kGreys];
    for (size_t image = blockIdx.y; image < n; image += gridDim.y) {
        own[threadIdx.x] = 0;
        __syncthreads();
        const uint8_t* from = pixels + image * size;
        for_each_run<kPacked>(size, [&](size_t first, int count) {
            if (count == kPack) {
                const Pack<uint8_t> in = *reinterpret_cast<const Pack<uint8_t>*>(from + first);
#pragma unroll
                for (int i = 0; i < kPack; ++i) atomicAdd(own + in.lanes[i], 1u);
            } else {
                atomicAdd(own + from[first], 1u);
            }
        });
        __syncthreads();
        if (own[threadIdx.x] != 0) atomicAdd(counts + image * kGreys + threadIdx.x, own[threadIdx.x]);
    }
}

// A block for each image, a thread for each level. The lowest level becomes 0: its pixels do not count. An image of one
// level stays as it is.
__global__ void __launch_bounds__(kGreys)
tables_of_images(const unsigned* counts, unsigned size, uint8_t* tables) {
    __shared__ int least[kWarpsAtMost];
    __shared__ unsigned sums[kWarpsAtMost];
    const int level = static_cast<int>(threadIdx.x);
    const unsigned* of = counts + static_cast<size_t>(blockIdx.x) * kGreys;
    const unsigned count = of[level];
    const int lowest = reduce_block(count > 0 ? level : 255, 255, [](int a, int b) { return min(a, b); }, least);
    const unsigned counted = level == lowest ? 0 : count, others = size - of[lowest];
    const unsigned below = scan_block(counted, sums).before + counted;
    const float scale = 255.0f / static_cast<float>(static_cast<int>(others > 0 ? others : 1));
    const int spread = level <= lowest ? 0 : equalized(below, scale, 255);
    tables[static_cast<size_t>(blockIdx.x) * kGreys + threadIdx.x] = static_cast<uint8_t>(others > 0 ? spread : level);
}

template <bool kPacked>
__global__ void __launch_bounds__(kThreads)
look_up_images(const uint8_t* pixels, size_t n, size_t size, const uint8_t* tables, uint8_t* out) {
    __shared__ uint8_t table[kGreys];
    for (size_t image = blockIdx.y; image < n; image += gridDim.y) {
        __syncthreads();  // the last image's table is done with
        table[threadIdx.x] = tables[image * kGreys + threadIdx.x];
        __syncthreads();
        const uint8_t* from = pixels + image * size;
        uint8_t* to = out + image * size;
        for_each_run<kPacked>(size, [&](size_t first, int count) {
            if (count == kPack) {
                const Pack<uint8_t> in = *reinterpret_cast<const Pack<uint8_t>*>(from + first);
                Pack<uint8_t> result;
#pragma unroll
                for (int i = 0; i < kPack; ++i) result.lanes[i] = table[in.lanes[i]];
                *reinterpret_cast<Pack<uint8_t>*>(to + first) = result;
            } else {
                to[first] = table[from[first]];
            }
        });
    }
}

// ---- tiles

template <class Pixel>
constexpr int kTop = static_cast<Pixel>(-1);
template <class Pixel>
constexpr int kLevels = kTop<Pixel> + 1;
// A thread makes a run of levels, so that a table takes one prefix sum.
template <class Pixel>
constexpr int kTableThreads = sizeof(Pixel) == 1 ? 256 : 1024;

// Several blocks for each tile.
template <class Pixel>
__global__ void __launch_bounds__(kThreads)
count_tiles(const Pixel* image, int rows, int columns, TileAxes axes, unsigned* counts) {
    __shared__ unsigned own[sizeof(Pixel) == 1 ? kGreys : 1];
    const int tile = static_cast<int>(blockIdx.x);  // there may be more than CUDA allows in y
    const int top = tile / axes.across.tiles * axes.down.size, left = tile % axes.across.tiles * axes.across.size;
    unsigned* of_tile = counts + static_cast<size_t>(tile) * kLevels<Pixel>;
    if constexpr (sizeof(Pixel) == 1) {
        own[threadIdx.x] = 0;
        __syncthreads();
    }
    const unsigned pixels = static_cast<unsigned>(axes.down.size) * static_cast<unsigned>(axes.across.size);
    for (unsigned at = blockIdx.y * kThreads + threadIdx.x; at < pixels; at += gridDim.y * kThreads) {
        const int i = static_cast<int>(at);
        const int y = mirrored(top + i / axes.across.size, rows), x = mirrored(left + i % axes.across.size, columns);
        const Pixel level = image[static_cast<size_t>(y) * static_cast<size_t>(columns) + static_cast<size_t>(x)];
        if constexpr (sizeof(Pixel) == 1) {
            atomicAdd(own + level, 1u);
        } else {
            atomicAdd(of_tile + level, 1u);
        }
    }
    if constexpr (sizeof(Pixel) == 1) {
        __syncthreads();
        if (own[threadIdx.x] != 0) atomicAdd(of_tile + threadIdx.x, own[threadIdx.x]);
    }
}

template <class Pixel>
__global__ void __launch_bounds__(kTableThreads<Pixel>)
tables_of_tiles(const unsigned* counts, unsigned limit, int pixels, Pixel* tables) {
    constexpr int kRun = kLevels<Pixel> / kTableThreads<Pixel>;
    __shared__ unsigned scratch[kWarpsAtMost];
    const size_t tile = blockIdx.x;
    const unsigned first = threadIdx.x * kRun;
    const unsigned* of = counts + tile * kLevels<Pixel> + first;
    Clip clip = {0xffffffffu, 0, 1, 0};
    if (limit > 0) {
        unsigned excess = 0;
        for (int i = 0; i < kRun; ++i) excess += of[i] > limit ? of[i] - limit : 0;
        clip = clip_of(limit, sum_of_block(excess, scratch), kLevels<Pixel>);
    }
    unsigned sum = 0;
    for (unsigned i = 0; i < kRun; ++i) sum += clipped(clip, first + i, of[i]);
    unsigned count = scan_block(sum, scratch).before;
    const float scale = static_cast<float>(kTop<Pixel>) / static_cast<float>(pixels);
    for (unsigned i = 0; i < kRun; ++i) {
        count += clipped(clip, first + i, of[i]);
        tables[tile * kLevels<Pixel> + first + i] = static_cast<Pixel>(equalized(count, scale, kTop<Pixel>));
    }
}

template <class Pixel>
__global__ void __launch_bounds__(kThreads)
blend_tables(const Pixel* image, int rows, int columns, TileAxes axes, const Pixel* tables, Pixel* out) {
    const auto table = [&](int y, int x) {
        return tables + (static_cast<size_t>(y) * static_cast<size_t>(axes.across.tiles) + static_cast<size_t>(x)) *
                            kLevels<Pixel>;
    };
    for (int y = static_cast<int>(blockIdx.y); y < rows; y += static_cast<int>(gridDim.y)) {
        const BetweenTiles down = between_tiles(y, axes.down.per_pixel, axes.down.tiles);
        const size_t row = static_cast<size_t>(y) * static_cast<size_t>(columns);
        for_each_of_grid(columns, [&](int x) {
            const BetweenTiles across = between_tiles(x, axes.across.per_pixel, axes.across.tiles);
            const Pixel level = image[row + static_cast<size_t>(x)];
            out[row + static_cast<size_t>(x)] = static_cast<Pixel>(
                blended(table(down.before, across.before)[level], table(down.before, across.behind)[level],
                        table(down.behind, across.before)[level], table(down.behind, across.behind)[level],
                        across.weight, down.weight));
        });
    }
}

}  // namespace

void equalize_histogram(const Greys<uint8_t>& images, uint8_t* out, Stream& stream) {
    const char* name = "equalize_histogram";
    const size_t size = images.size();
    const size_t levels = images.n * kGreys;
    Scratch scratch(stream, {levels * sizeof(unsigned), levels});
    unsigned* const counted = scratch.next<unsigned>(levels);
    uint8_t* const table = scratch.next<uint8_t>(levels);
    check(cudaMemsetAsync(counted, 0, levels * sizeof(unsigned), stream.get()), name);
    const bool packed = is_packed(images.pixels) && is_packed(out) && (images.n == 1 || size % kPack == 0);
    launch(name, {images.n, images.rows, images.columns}, packed ? count_images<true> : count_images<false>,
           grid_of_slices(images.n, size, 8), stream, images.pixels, images.n, size, counted);
    launch(name, {images.n}, tables_of_images, {dim3(static_cast<unsigned>(images.n)), dim3(kGreys)}, stream, counted,
           static_cast<unsigned>(size), table);
    launch(name, {images.n, images.rows, images.columns}, packed ? look_up_images<true> : look_up_images<false>,
           grid_of_slices(images.n, size, 2), stream, images.pixels, images.n, size, table, out);
}

template <class Pixel>
void clahe(const Greys<Pixel>& images, double clip_limit, TileGrid grid, Pixel* out, Stream& stream) {
    const char* name = "clahe";
    const TileAxes axes = axes_of(images.rows, images.columns, grid);
    const int pixels = axes.down.size * axes.across.size;
    const size_t tiles = static_cast<size_t>(grid.rows) * static_cast<size_t>(grid.columns);
    const unsigned limit = clip_limit_of(clip_limit, axes.down.size, axes.across.size, kLevels<Pixel>);
    const size_t levels = tiles * kLevels<Pixel>;
    Scratch scratch(stream, {levels * sizeof(unsigned), levels * sizeof(Pixel)});
    unsigned* const counted = scratch.next<unsigned>(levels);
    Pixel* const table = scratch.next<Pixel>(levels);
    const dim3 tile_blocks(static_cast<unsigned>(tiles), blocks_for(static_cast<size_t>(pixels), kThreads * 8, 64));
    const dim3 row_blocks(blocks_for(static_cast<size_t>(images.columns), kThreads),
                          blocks_for(static_cast<size_t>(images.rows), 1));
    for (size_t image = 0; image < images.n; ++image) {
        const Pixel* from = images.pixels + image * images.size();
        check(cudaMemsetAsync(counted, 0, levels * sizeof(unsigned), stream.get()), name);
        launch(name, {images.rows, images.columns}, count_tiles<Pixel>, {tile_blocks, dim3(kThreads)}, stream, from,
               images.rows, images.columns, axes, counted);
        launch(name, {tiles}, tables_of_tiles<Pixel>, {dim3(static_cast<unsigned>(tiles)), dim3(kTableThreads<Pixel>)},
               stream, counted, limit, pixels, table);
        launch(name, {images.rows, images.columns}, blend_tables<Pixel>, {row_blocks, dim3(kThreads)}, stream, from,
               images.rows, images.columns, axes, table, out + image * images.size());
    }
}

template void clahe<uint8_t>(const Greys<uint8_t>&, double, TileGrid, uint8_t*, Stream&);
template void clahe<uint16_t>(const Greys<uint16_t>&, double, TileGrid, uint16_t*, Stream&);

}  // namespace spinert::cuda
