// 2**t without the mathematics library, and how far down a softmax counts.
#pragma once

#include "both.h"

namespace spinert {

constexpr double kBitsPerNat = 1.4426950408889634;  // e**x = 2**(x * kBitsPerNat)

// 2**t for -inf <= t <= 0; about 2**-126 below that, and no more than it. Relative error under 2.1e-7.
// t = n + f with |f| <= 1/2; 2**f by the polynomial of degree 5 with p(0) = 1 and the least relative error, 9.2e-8.
SPINERT_BOTH float exp2_of_nonpositive(float t) {
    t = t < -126.0f ? -126.0f : t;
    // adding 1.5 * 2**23 rounds to an integer, which then lies in the low bits of the float
    const float shifted = t + 12582912.0f;
    const float f = t - (shifted - 12582912.0f);
    // pairs first (Estrin): half as long a chain of dependent steps as from the highest power down
    const float ff = f * f;
    const float powers_4_5 = f * 1.3264727e-3f + 9.6715127e-3f;
    const float powers_2_3 = f * 5.5507337e-2f + 2.4022242e-1f;
    const float powers_0_1 = f * 6.9314698e-1f + 1.0f;
    const float p = (powers_4_5 * ff + powers_2_3) * ff + powers_0_1;
    // n added to the exponent of p: shifted left, the bits of the shifter are gone
    const uint32_t power = static_cast<uint32_t>(bits_of(shifted)) << 23;
    return float_of_bits(static_cast<int32_t>(static_cast<uint32_t>(bits_of(p)) + power));
}

// Cells this many powers of 2 below the highest weigh, all together, less than 2**-43 of it: nothing, whatever their
// distance, even squared.
SPINERT_BOTH float negligible_bits(int cells) {
    int bits = 43;
    for (; cells > 0; cells /= 2) ++bits;
    return static_cast<float>(bits);
}

}  // namespace spinert
