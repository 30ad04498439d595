// Numbers of 16 bits (IEEE 754 binary16) in plain integers, so that no processor needs instructions for them and each
// gives the same bits.
#pragma once

#include "both.h"

namespace spinert {

struct Half {
    uint16_t bits;
};

// Exact. Branches are selections, which a compiler makes lanes of.
SPINERT_BOTH float float_of(Half half) {
    const int32_t sign = (half.bits & 0x8000) << 16;
    const int32_t magnitude = (half.bits & 0x7fff) << 13;  // exponent and fraction where a float has them
    const int32_t rebias = 112 << 23;                      // the bias of 127 instead of 15
    const int32_t above = magnitude >= 31 << 23 ? 2 * rebias : rebias;  // infinities and nan stay what they are
    // below 2**-14 there is no leading one: as if there were, then taken away again
    const int32_t small = bits_of(float_of_bits(magnitude + rebias + (1 << 23)) - float_of_bits(rebias + (1 << 23)));
    return float_of_bits(sign | (magnitude < 1 << 23 ? small : magnitude + above));
}

// To the nearest, ties to even; what is too large becomes infinite, nan stays nan.
SPINERT_BOTH Half half_of(float value) {
    const int32_t bits = bits_of(value);
    const int32_t magnitude = bits & 0x7fffffff;
    const int32_t odd = (magnitude >> 13) & 1;
    const int32_t usual = (magnitude - (112 << 23) + 0xfff + odd) >> 13;
    // below 2**-14: the last place of 0.5 is that of the small halves, so that the addition rounds
    const int32_t small = bits_of(float_of_bits(magnitude < 113 << 23 ? magnitude : 0) + 0.5f) - bits_of(0.5f);
    const int32_t huge = magnitude > 255 << 23 ? 0x7e00 : 0x7c00;
    const int32_t rounded = magnitude < 113 << 23 ? small : magnitude < 143 << 23 ? usual : huge;
    return {static_cast<uint16_t>((static_cast<uint32_t>(bits) >> 16 & 0x8000u) | static_cast<uint32_t>(rounded))};
}

}  // namespace spinert
