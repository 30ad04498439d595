// e ** x without the mathematics library.
#pragma once

#include "both.h"

namespace spinert {

// For x <= 0, within 2 units of the last place; 0 below -87, where the result would leave the normal floats, and for
// nan. Step by step what `exp_of_nonpositive` of cpu/lanes.inl does on sixteen lanes.
SPINERT_BOTH float exp_of_nonpositive(float x) {
    if (!(-87.0f <= x)) return 0.0f;
    // adding 1.5 * 2**23 rounds to an integer, which then lies in the low bits of the float
    const float shifted = x * 1.44269504f + 12582912.0f;
    const float n = shifted - 12582912.0f;
    // ln 2 in two parts: the first has few bits, so that n times it is exact
    const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
    const float rr = r * r;
    const float powers_6_7 = r * (1.0f / 5040.0f) + 1.0f / 720.0f;
    const float powers_4_5 = r * (1.0f / 120.0f) + 1.0f / 24.0f;
    const float powers_2_3 = r * (1.0f / 6.0f) + 0.5f;
    const float high = powers_6_7 * rr + powers_4_5;
    const float low = powers_2_3 * rr + (r + 1.0f);
    const float p = high * (rr * rr) + low;
    const int32_t power = static_cast<int32_t>(static_cast<uint32_t>(bits_of(shifted) - (0x4b400000 - 127)) << 23);
    return p * float_of_bits(power);
}

}  // namespace spinert
