// Overlapping tiles of a volume.
#include "../cpu/tiles.h"

#include <nanobind/stl/array.h>

#include "apart.h"
#include "half.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Triple = std::array<int64_t, 3>;

// Whether 0 <= v and v + length <= most.
bool fits(int64_t v, size_t length, size_t most) {
    return v >= 0 && length <= most && static_cast<size_t>(v) <= most - length;
}

template <class T>
spinert::Ring<T> ring_of(const Array<T, 4>& ring) {
    require(ring.shape(1) > 0, "ring has no slots");
    return {ring.data(), ring.shape(0), ring.shape(1), ring.shape(2), ring.shape(3)};
}

template <class T>
void add_tile(Array<const T, 4> tile, Array<const float, 2> weights_z, Array<const float, 2> weights_y,
              Array<const float, 2> weights_x, Triple index, Triple at, Triple fresh, Array<float, 4> ring,
              int threads) {
    const spinert::Ring<float> sums = ring_of(ring);
    const Array<const float, 2>* const weights[3] = {&weights_z, &weights_y, &weights_x};
    const size_t most[3] = {2 * sums.slots - 1, sums.rows, sums.columns};  // slots go round
    const float* rows[3];
    for (size_t axis = 0; axis < 3; ++axis) {
        const size_t length = tile.shape(axis + 1);
        require(weights[axis]->shape(1) == length, "weights have another length than the tile");
        require(fits(index[axis], 1, weights[axis]->shape(0)), "index lies outside the weights");
        require(fits(at[axis], length, most[axis]), "the tile reaches out of the ring");
        require(fits(fresh[axis], 0, length), "fresh lies outside the tile");
        rows[axis] = weights[axis]->data() + static_cast<size_t>(index[axis]) * length;
    }
    require(tile.shape(0) == sums.classes, "tile has other classes than the ring");
    require(tile.shape(1) <= sums.slots, "tile is deeper than the ring");
    require_apart("ring shares memory with tile or weights", ring, tile, weights_z, weights_y, weights_x);
    require(threads >= 1, "threads is below 1");
    const auto number = [](int64_t v) { return static_cast<size_t>(v); };
    const spinert::TilePlace place = {tile.shape(1), tile.shape(2), tile.shape(3), rows[0], rows[1], rows[2],
                                      number(at[0]), number(at[1]), number(at[2]),
                                      number(fresh[0]), number(fresh[1]), number(fresh[2])};
    nb::gil_scoped_release unlocked;
    spinert::add_tile(tile.data(), place, sums, threads);
}

spinert::Slices slices_of(const spinert::Ring<const float>& ring, int64_t slot, int64_t begin, int64_t count,
                          size_t slices, size_t rows, size_t columns, int threads) {
    require(fits(slot, 1, ring.slots), "slot lies outside the ring");
    require(0 <= count && static_cast<size_t>(count) <= ring.slots, "count is below 0 or above the slots");
    require(fits(begin, static_cast<size_t>(count), slices), "slices lie outside the volume");
    require(rows == ring.rows && columns == ring.columns, "volume has other rows or columns than the ring");
    require(threads >= 1, "threads is below 1");
    return {static_cast<size_t>(slot), static_cast<size_t>(count)};
}

void label_slices(Array<const float, 4> ring, int64_t slot, int64_t begin, int64_t count, float threshold,
                  Array<uint8_t, 3> labels, int threads) {
    const spinert::Ring<const float> sums = ring_of(ring);
    require(1 <= sums.classes && sums.classes <= 256, "classes are not 1..256");
    const spinert::Slices slices = slices_of(sums, slot, begin, count, labels.shape(0), labels.shape(1),
                                             labels.shape(2), threads);
    require_apart("labels share memory with ring", labels, ring);
    uint8_t* const first = labels.data() + static_cast<size_t>(begin) * sums.rows * sums.columns;
    nb::gil_scoped_release unlocked;
    spinert::label_slices(sums, slices, threshold, first, threads);
}

void half_slices(Array<const float, 4> ring, int64_t slot, int64_t begin, int64_t count,
                 Array<spinert::Half, 4> values, int threads) {
    const spinert::Ring<const float> sums = ring_of(ring);
    require(values.shape(0) == sums.classes, "values have other classes than the ring");
    const spinert::Slices slices = slices_of(sums, slot, begin, count, values.shape(1), values.shape(2),
                                             values.shape(3), threads);
    require_apart("values share memory with ring", values, ring);
    const size_t area = sums.rows * sums.columns;
    spinert::Half* const first = values.data() + static_cast<size_t>(begin) * area;
    nb::gil_scoped_release unlocked;
    spinert::half_slices(sums, slices, values.shape(1) * area, first, threads);
}

}  // namespace

void bind_tiles(nb::module_& m) {
    const auto add = [&](auto* function) {
        m.def("add_tile", function, "tile"_a.noconvert(), "weights_z"_a.noconvert(), "weights_y"_a.noconvert(),
              "weights_x"_a.noconvert(), "index"_a, "at"_a, "fresh"_a, "ring"_a.noconvert(), "threads"_a);
    };
    add(&add_tile<float>);
    add(&add_tile<spinert::Half>);
    m.def("label_slices", &label_slices, "ring"_a.noconvert(), "slot"_a, "begin"_a, "count"_a, "threshold"_a,
          "labels"_a.noconvert(), "threads"_a);
    m.def("half_slices", &half_slices, "ring"_a.noconvert(), "slot"_a, "begin"_a, "count"_a, "values"_a.noconvert(),
          "threads"_a);
}
