// Overlapping tiles of a volume: rows of voxels.
#include "tiles.h"

#include "convert.inl"

namespace spinert::tiles {
namespace {

SPINERT_INLINE Floats values_of(const float* from) { return load(from); }
SPINERT_INLINE Floats values_of(const Half* from) { return floats_of(from); }
SPINERT_INLINE float value_of(float value) { return value; }
SPINERT_INLINE float value_of(Half value) { return float_of(value); }

// sums = or += (scale * weights) * tile.
template <bool kAdded, class T>
SPINERT_INLINE void blend_row(const T* tile, const float* weights, float scale, size_t count, float* sums) {
    size_t i = 0;
    for (; i + Floats::kCount <= count; i += Floats::kCount) {
        const Floats value = (all(scale) * load(weights + i)) * values_of(tile + i);
        store(kAdded ? load(sums + i) + value : value, sums + i);
    }
    for (; i < count; ++i) {
        const float value = (scale * weights[i]) * value_of(tile[i]);
        sums[i] = kAdded ? sums[i] + value : value;
    }
}

template <class T>
SPINERT_INLINE void add_row(const T* tile, const float* weights, float scale, size_t added, size_t count, float* sums) {
    blend_row<true>(tile, weights, scale, added, sums);
    blend_row<false>(tile + added, weights + added, scale, count - added, sums + added);
}

static void add_floats(const float* tile, const float* weights, float scale, size_t added, size_t count, float* sums) {
    add_row(tile, weights, scale, added, count, sums);
}

static void add_halves(const Half* tile, const float* weights, float scale, size_t added, size_t count, float* sums) {
    add_row(tile, weights, scale, added, count, sums);
}

// The best sum so far of sixteen voxels, and whose it is. Class 0 at first, and each class that is above all before it:
// nan never is.
struct Best {
    Floats sum;
    Ints label;

    __attribute__((always_inline)) void take(Floats sums, Ints class_label) {
        const Floats above = sum < sums;
        sum = select(above, sums, sum);
        label = select(above, class_label, label);
    }
    __attribute__((always_inline)) void store_labels(int count, uint8_t* to) const {
        int32_t lanes[Ints::kCount];
        store(label, lanes);
        for (int i = 0; i < count; ++i) to[i] = static_cast<uint8_t>(lanes[i]);
    }
};

static void label_row(const float* sums, size_t classes, size_t stride, float threshold, size_t count,
                      uint8_t* labels) {
    constexpr size_t kLanes = Floats::kCount, kBlock = 4;
    const Best none = {all(classes == 1 ? threshold : -kInfinity), all(0)};
    const int32_t first = classes == 1 ? 1 : 0;
    size_t i = 0;
    for (; i + kBlock * kLanes <= count; i += kBlock * kLanes) {  // whole cache lines of each class after each other
        Best best[kBlock] = {none, none, none, none};
        for (size_t c = 0; c < classes; ++c) {
            const Ints label = all(static_cast<int32_t>(c) + first);
            for (size_t j = 0; j < kBlock; ++j) best[j].take(load(sums + c * stride + i + j * kLanes), label);
        }
        for (size_t j = 0; j < kBlock; ++j) best[j].store_labels(kLanes, labels + i + j * kLanes);
    }
    for (; i < count; i += kLanes) {
        const int rest = count - i < kLanes ? static_cast<int>(count - i) : static_cast<int>(kLanes);
        Best best = none;
        for (size_t c = 0; c < classes; ++c) {
            best.take(load_part(sums + c * stride + i, rest, 0.0f), all(static_cast<int32_t>(c) + first));
        }
        best.store_labels(rest, labels + i);
    }
}

static void halve_row(const float* sums, size_t count, Half* values) {
    constexpr size_t kLanes = Floats::kCount;
    size_t i = 0;
    for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
        store(to_halves(load(sums + i), load(sums + i + kLanes)), &values[i].bits);
    }
    for (; i < count; ++i) values[i] = half_of(sums[i]);
}

constexpr Kernels kTable = {add_floats, add_halves, label_row, halve_row};

}  // namespace
}  // namespace spinert::tiles
