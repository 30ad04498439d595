// Tiles: threads around the rows of one ISA.
#include "tiles.h"

#include "parallel.h"

namespace spinert {
namespace {

// A thread that is woken for less costs more than it saves.
constexpr size_t kLeastPerThread = 1 << 16;

int threads_for(size_t voxels, int threads) {
    return static_cast<int>(std::min(static_cast<size_t>(threads), voxels / kLeastPerThread + 1));
}

auto row_adder(const float*) { return tiles::active().add_floats; }
auto row_adder(const Half*) { return tiles::active().add_halves; }

}  // namespace

template <class T>
void add_tile(const T* tile, const TilePlace& place, Ring<float> ring, int threads) {
    const auto add_row = row_adder(tile);
    const size_t planes = ring.classes * place.depth;
    // a plane of the ring belongs to one thread, so that the sums of a voxel are made in the order of the tiles
    parallel_for(planes, threads_for(planes * place.height * place.width, threads), [&](size_t, size_t from, size_t to) {
        for (size_t plane = from; plane < to; ++plane) {
            const size_t c = plane / place.depth, k = plane % place.depth;
            for (size_t j = 0; j < place.height; ++j) {
                const bool fresh = k >= place.fresh_z && j >= place.fresh_y;
                add_row(tile + (plane * place.height + j) * place.width, place.x, place.z[k] * place.y[j],
                        fresh ? place.fresh_x : place.width, place.width,
                        row_of(ring, c, place.slot + k, place.row + j) + place.column);
            }
        }
    });
}
template void add_tile(const float* tile, const TilePlace& place, Ring<float> ring, int threads);
template void add_tile(const Half* tile, const TilePlace& place, Ring<float> ring, int threads);

void label_slices(Ring<const float> ring, Slices slices, float threshold, uint8_t* labels, int threads) {
    const tiles::Kernels& kernels = tiles::active();
    const size_t area = ring.rows * ring.columns;
    const int parts = threads_for(ring.classes * slices.count * area, threads);
    parallel_for(slices.count * ring.rows, parts, [&](size_t, size_t from, size_t to) {
        for (size_t row = from; row < to; ++row) {
            kernels.label(row_of(ring, 0, slices.slot + row / ring.rows, row % ring.rows), ring.classes, ring.slots * area,
                          threshold, ring.columns, labels + row * ring.columns);
        }
    });
}

void half_slices(Ring<const float> ring, Slices slices, size_t stride, Half* values, int threads) {
    const tiles::Kernels& kernels = tiles::active();
    const size_t area = ring.rows * ring.columns, planes = ring.classes * slices.count;
    parallel_for(planes, threads_for(planes * area, threads), [&](size_t, size_t from, size_t to) {
        for (size_t plane = from; plane < to; ++plane) {
            const size_t c = plane / slices.count, k = plane % slices.count;
            kernels.halve(row_of(ring, c, slices.slot + k, 0), area, values + c * stride + k * area);
        }
    });
}

}  // namespace spinert
