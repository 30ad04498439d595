// Numbers of 16 bits (IEEE 754 binary16) in plain integers, so that no processor needs instructions for them and each
// gives the same bits. cpu/convert.inl has the same for lanes.
#pragma once

#include "both.h"

namespace spinert {

struct Half {
    uint16_t bits;
};

// Exact. Branches are selections, which a compiler makes lanes of.
SPINERT_BOTH float float_of(Half half) {
    const int32_t sign = static_cast<int32_t>((half.bits & 0x8000u) << 16);
    const int32_t magnitude = (half.bits & 0x7fff) << 13;  // exponent and fraction where a float has them
    const int32_t rebias = 112 << 23;                      // the bias of 127 instead of 15
    const int32_t above = magnitude >= 31 << 23 ? 2 * rebias : rebias;  // infinities and nan stay what they are
    // below 2**-14 there is no leading one: as if there were, then taken away again
    const int32_t small = bits_of(float_of_bits(magnitude + rebias + (1 << 23)) - float_of_bits(rebias + (1 << 23)));
    return float_of_bits(sign | (magnitude < 1 << 23 ? small : magnitude + above));
}

// To the nearest, of two equally near the even one; what is too large becomes infinite, nan stays nan, quiet, with what
// the half has room for of its bits: as the instructions do that some processors have for it.
SPINERT_BOTH Half half_of(float value) {
    const int32_t bits = bits_of(value), magnitude = bits & 0x7fffffff;
    const int32_t bounded = magnitude < 143 << 23 ? magnitude : 143 << 23;  // 2**16: infinite
    // 13 bits go: half their step less one, and one more where the last bit that stays is odd
    const int32_t usual = (bounded - (112 << 23) + 0xfff + ((bounded >> 13) & 1)) >> 13;
    // below 2**-14: halves have the step 2**-24, which is that of floats from 1/2 to 1, so that the addition rounds
    const int32_t small = bits_of(float_of_bits(magnitude < 113 << 23 ? magnitude : 0) + 0.5f) - bits_of(0.5f);
    const int32_t finite = magnitude < 113 << 23 ? small : usual;
    const int32_t half = magnitude > 255 << 23 ? 0x7e00 | ((magnitude >> 13) & 0x3ff) : finite;
    return {static_cast<uint16_t>(((bits >> 16) & 0x8000) | half)};
}

}  // namespace spinert
