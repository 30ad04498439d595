// Lanes of double as numbers of math/*.h.
#pragma once

#include "../math/numbers.h"
#include "lanes.inl"

namespace spinert {
namespace {

using Doubles = Lanes<double>;

SPINERT_LANEWISE(/)

SPINERT_INLINE Doubles like(double value, Doubles) { return all(value); }

SPINERT_INLINE Register<double> select(Register<double> mask, Register<double> yes, Register<double> no) {
    return {bits_as<int64_t>(mask).lanes ? yes.lanes : no.lanes};
}
template <int kBytes>
SPINERT_INLINE Lanes<double, kBytes> select(Lanes<double, kBytes> mask, Lanes<double, kBytes> yes,
                                            Lanes<double, kBytes> no) {
    return {select(mask.low, yes.low, no.low), select(mask.high, yes.high, no.high)};
}

}  // namespace
}  // namespace spinert
