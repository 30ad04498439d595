// What arithmetic needs to be written once for a number and for lanes of numbers: comparisons choose through `select`,
// constants come from `like`. Lanes bring overloads of their own (cpu/number_lanes.inl).
#pragma once

#include "both.h"

namespace spinert {

// A constant of the type of the second argument.
SPINERT_BOTH double like(double value, double) { return value; }

SPINERT_BOTH double select(bool mask, double yes, double no) { return mask ? yes : no; }

template <class Number>
SPINERT_BOTH Number lesser(Number a, Number b) {
    return select(b < a, b, a);
}

template <class Number>
SPINERT_BOTH Number greater(Number a, Number b) {
    return select(a < b, b, a);
}

template <class Number>
SPINERT_BOTH Number clamped(Number value, Number low, Number high) {
    return lesser(greater(value, low), high);
}

template <class Number>
SPINERT_BOTH Number magnitude(Number value) {
    const Number zero = like(0.0, value);
    return select(value < zero, zero - value, value);
}

SPINERT_BOTH double not_a_number() { return float_of_bits(0x7fc00000); }

// One instruction, correctly rounded: -fno-math-errno leaves out the call that would set errno.
SPINERT_BOTH double square_root(double value) { return __builtin_sqrt(value); }

SPINERT_BOTH bool is_finite(double value) { return value - value == 0.0; }

}  // namespace spinert
