// Overlapping tiles of a volume: rows of voxels.
#include "tiles.h"

#include "lanes.inl"

namespace spinert::tiles {
namespace {

// Sixteen values; of halves step by step what `float_of` of math/float16.h does on one.
SPINERT_INLINE Floats values_of(const float* from) { return load(from); }
SPINERT_INLINE Floats values_of(const Half* from) {
    int32_t bits[Ints::kCount];
    for (int i = 0; i < Ints::kCount; ++i) bits[i] = from[i].bits;
    const Ints half = load(bits), sign = (half & all(0x8000)) << all(16), magnitude = (half & all(0x7fff)) << all(13);
    const Ints rebias = all(112 << 23), one = all(1 << 23);
    const Ints above = select(all((31 << 23) - 1) < magnitude, rebias + rebias, rebias);
    const Floats small = bits_as<float>(magnitude + rebias + one) - bits_as<float>(rebias + one);
    return bits_as<float>(sign | select(magnitude < one, bits_as<int32_t>(small), magnitude + above));
}

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

SPINERT_LANEWISE(>>)

// Step by step what `half_of` of math/float16.h does on one.
SPINERT_INLINE void store_halves(Floats values, Half* to) {
    const Ints bits = bits_as<int32_t>(values), magnitude = bits & all(0x7fffffff), tiny = all(113 << 23);
    const Ints usual = (magnitude - all((112 << 23) - 0xfff) + ((magnitude >> all(13)) & all(1))) >> all(13);
    const Floats half = all(0.5f);
    const Ints few = select(magnitude < tiny, magnitude, all(0));
    const Ints small = bits_as<int32_t>(bits_as<float>(few) + half) - bits_as<int32_t>(half);
    const Ints huge = select(all(255 << 23) < magnitude, all(0x7e00), all(0x7c00));
    const Ints rounded = select(magnitude < tiny, small, select(magnitude < all(143 << 23), usual, huge));
    int32_t lanes[Ints::kCount];
    store(rounded | ((bits >> all(16)) & all(0x8000)), lanes);
    for (int i = 0; i < Ints::kCount; ++i) to[i].bits = static_cast<uint16_t>(lanes[i]);
}

static void halve_row(const float* sums, size_t count, Half* values) {
    size_t i = 0;
    for (; i + Floats::kCount <= count; i += Floats::kCount) store_halves(load(sums + i), values + i);
    for (; i < count; ++i) values[i] = half_of(sums[i]);
}

constexpr Kernels kTable = {add_floats, add_halves, label_row, halve_row};

}  // namespace
}  // namespace spinert::tiles
