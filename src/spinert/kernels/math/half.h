// Single to half precision (IEEE 754 binary16).
#pragma once

#include "both.h"

namespace spinert {

// Half precision, as bits.
struct Half {
    uint16_t bits;
};

// The bits of the nearest half, of two equally near the even one; what is too large becomes infinite. Step by step what
// `half_bits` of cpu/convert.inl does on sixteen lanes.
SPINERT_BOTH uint16_t half_bits(float value) {
    const int32_t bits = bits_of(value), sign = (bits >> 16) & 0x8000;
    int32_t size = bits & 0x7fffffff;
    if (size > 0x7f800000) return static_cast<uint16_t>(sign | 0x7e00);
    // below 2**-14 halves have the step 2**-24, which is that of floats from 1/2 to 1
    if (size < 0x38800000) return static_cast<uint16_t>(sign | (bits_of(float_of_bits(size) + 0.5f) - 0x3f000000));
    size = size < 0x47800000 ? size : 0x47800000;  // 2**16: infinite
    // 13 bits go: half their step less one, and one more where the last bit that stays is odd
    return static_cast<uint16_t>(sign | ((size - (112 << 23) + 0xfff + ((size >> 13) & 1)) >> 13));
}

}  // namespace spinert
