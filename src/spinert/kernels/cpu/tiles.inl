// Overlapping tiles of a volume: rows of voxels.
#include "tiles.h"

#include "lanes.inl"

namespace spinert::tiles {
namespace {

SPINERT_INLINE float value_of(float value) { return value; }
SPINERT_INLINE float value_of(Half value) { return float_of(value); }

// No sum depends on another: the compiler makes lanes of these loops without changing a bit.
template <class T>
SPINERT_INLINE void add_row(const T* __restrict tile, const float* __restrict weights, float scale, size_t added,
                            size_t count, float* __restrict sums) {
    for (size_t i = 0; i < added; ++i) sums[i] += (scale * weights[i]) * value_of(tile[i]);
    for (size_t i = added; i < count; ++i) sums[i] = (scale * weights[i]) * value_of(tile[i]);
}

static void add_floats(const float* tile, const float* weights, float scale, size_t added, size_t count, float* sums) {
    add_row(tile, weights, scale, added, count, sums);
}

static void add_halves(const Half* tile, const float* weights, float scale, size_t added, size_t count, float* sums) {
    add_row(tile, weights, scale, added, count, sums);
}

SPINERT_INLINE void store_labels(Ints labels, size_t count, uint8_t* to) {
    int32_t lanes[Ints::kCount];
    store(labels, lanes);
    if (count >= Ints::kCount) {
        for (int i = 0; i < Ints::kCount; ++i) to[i] = static_cast<uint8_t>(lanes[i]);
    } else {
        for (size_t i = 0; i < count; ++i) to[i] = static_cast<uint8_t>(lanes[i]);
    }
}

// Class 0 at first, and each class that is above all before it: nan never is.
static void label_row(const float* sums, size_t classes, size_t stride, float threshold, size_t count,
                      uint8_t* labels) {
    const float lowest = classes == 1 ? threshold : -kInfinity;
    const int32_t first = classes == 1 ? 1 : 0;
    for (size_t i = 0; i < count; i += Floats::kCount) {
        const size_t rest = count - i;
        Floats best = all(lowest);
        Ints label = all(0);
        for (size_t c = 0; c < classes; ++c) {
            const float* const from = sums + c * stride + i;
            const Floats sum = rest >= Floats::kCount ? load(from) : load_part(from, static_cast<int>(rest), 0.0f);
            const Floats above = best < sum;
            best = select(above, sum, best);
            label = select(above, all(static_cast<int32_t>(c) + first), label);
        }
        store_labels(label, rest, labels + i);
    }
}

static void halve_row(const float* __restrict sums, size_t count, Half* __restrict values) {
    for (size_t i = 0; i < count; ++i) values[i] = half_of(sums[i]);
}

constexpr Kernels kTable = {add_floats, add_halves, label_row, halve_row};

}  // namespace
}  // namespace spinert::tiles
