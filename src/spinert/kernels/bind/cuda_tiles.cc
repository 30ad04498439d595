// Overlapping tiles of a volume, on the device.
#include <nanobind/stl/array.h>

#include "cuda_arrays.h"

#include "../cuda/tiles.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

using Triple = std::array<int64_t, 3>;

// Whether 0 <= v and v + length <= most.
bool fits(int64_t v, size_t length, size_t most) {
    return v >= 0 && length <= most && static_cast<size_t>(v) <= most - length;
}

template <class T>
Ring<T> ring_of(const View<T, 4>& ring) {
    require(ring.shape(1) > 0, "ring has no slots");
    return {ring.data, ring.shape(0), ring.shape(1), ring.shape(2), ring.shape(3)};
}

template <class T>
void add_tile_of(const DeviceArray& tile, const std::array<const DeviceArray*, 3>& weights, const Triple& index,
                 const Triple& at, const Triple& fresh, const DeviceArray& ring, Stream& stream) {
    Work work(stream);
    const auto in = work.input<T, 4>(tile, "tile");
    const Ring<float> sums = ring_of(work.output<float, 4>(ring, "ring"));
    const char* const names[3] = {"weights_z", "weights_y", "weights_x"};
    const size_t most[3] = {2 * sums.slots - 1, sums.rows, sums.columns};  // slots go round
    const float* rows[3];
    for (size_t axis = 0; axis < 3; ++axis) {
        const size_t length = in.shape(axis + 1);
        const auto weight = work.input<float, 2>(*weights[axis], names[axis]);
        require(weight.shape(1) == length, "weights have another length than the tile");
        require(fits(index[axis], 1, weight.shape(0)), "index lies outside the weights");
        require(fits(at[axis], length, most[axis]), "the tile reaches out of the ring");
        require(fits(fresh[axis], 0, length), "fresh lies outside the tile");
        rows[axis] = weight.data + static_cast<size_t>(index[axis]) * length;
    }
    require(in.shape(0) == sums.classes, "tile has other classes than the ring");
    require(in.shape(1) <= sums.slots, "tile is deeper than the ring");
    const auto number = [](int64_t v) { return static_cast<size_t>(v); };
    const TilePlace place = {in.shape(1), in.shape(2), in.shape(3), rows[0], rows[1], rows[2],
                                   number(at[0]), number(at[1]), number(at[2]),
                                   number(fresh[0]), number(fresh[1]), number(fresh[2])};
    work.run([&] { cuda::add_tile(in.data, place, sums, stream); });
}

void add_tile(const DeviceArray& tile, const DeviceArray& weights_z, const DeviceArray& weights_y,
              const DeviceArray& weights_x, Triple index, Triple at, Triple fresh, const DeviceArray& ring,
              Stream& stream) {
    const auto add = tile.dtype == cuda::dtype_of<__half>() ? add_tile_of<__half> : add_tile_of<float>;
    add(tile, {&weights_z, &weights_y, &weights_x}, index, at, fresh, ring, stream);
}

Slices slices_of(const Ring<const float>& ring, int64_t slot, int64_t begin, int64_t count, size_t slices,
                       size_t rows, size_t columns) {
    require(fits(slot, 1, ring.slots), "slot lies outside the ring");
    require(0 <= count && static_cast<size_t>(count) <= ring.slots, "count is below 0 or above the slots");
    require(fits(begin, static_cast<size_t>(count), slices), "slices lie outside the volume");
    require(rows == ring.rows && columns == ring.columns, "volume has other rows or columns than the ring");
    return {static_cast<size_t>(slot), static_cast<size_t>(count)};
}

void label_slices(const DeviceArray& ring, int64_t slot, int64_t begin, int64_t count, float threshold,
                  const DeviceArray& labels, Stream& stream) {
    Work work(stream);
    const Ring<const float> sums = ring_of(work.input<float, 4>(ring, "ring"));
    const auto out = work.output<uint8_t, 3>(labels, "labels");
    require(1 <= sums.classes && sums.classes <= 256, "classes are not 1..256");
    const Slices slices = slices_of(sums, slot, begin, count, out.shape(0), out.shape(1), out.shape(2));
    uint8_t* const first = out.data + static_cast<size_t>(begin) * sums.rows * sums.columns;
    work.run([&] { cuda::label_slices(sums, slices, threshold, first, stream); });
}

void half_slices(const DeviceArray& ring, int64_t slot, int64_t begin, int64_t count, const DeviceArray& values,
                 Stream& stream) {
    Work work(stream);
    const Ring<const float> sums = ring_of(work.input<float, 4>(ring, "ring"));
    const auto out = work.output<__half, 4>(values, "values");
    require(out.shape(0) == sums.classes, "values have other classes than the ring");
    const Slices slices = slices_of(sums, slot, begin, count, out.shape(1), out.shape(2), out.shape(3));
    const size_t area = sums.rows * sums.columns;
    __half* const first = out.data + static_cast<size_t>(begin) * area;
    work.run([&] { cuda::half_slices(sums, slices, out.shape(1) * area, first, stream); });
}

}  // namespace

void bind_cuda_tiles(nb::module_& m) {
    m.def("add_tile", &add_tile, "tile"_a, "weights_z"_a, "weights_y"_a, "weights_x"_a, "index"_a, "at"_a, "fresh"_a,
          "ring"_a, "stream"_a);
    m.def("label_slices", &label_slices, "ring"_a, "slot"_a, "begin"_a, "count"_a, "threshold"_a, "labels"_a,
          "stream"_a);
    m.def("half_slices", &half_slices, "ring"_a, "slot"_a, "begin"_a, "count"_a, "values"_a, "stream"_a);
}
