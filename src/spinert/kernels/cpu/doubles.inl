// Eight doubles at a time.
#pragma once

#include "number_lanes.inl"

namespace spinert {
namespace {

constexpr int kDoubles = Doubles::kCount;

// In one fixed order.
SPINERT_INLINE double total(Doubles v) {
    double lane[kDoubles];
    store(v, lane);
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// The value where the mask is set, else 0.
SPINERT_INLINE Doubles where(Doubles mask, Doubles value) { return select(mask, value, all(0.0)); }

SPINERT_INLINE void store_part(Doubles v, size_t count, double* to) {
    double lane[kDoubles];
    store(v, lane);
    for (size_t i = 0; i < count; ++i) to[i] = lane[i];
}

}  // namespace
}  // namespace spinert
