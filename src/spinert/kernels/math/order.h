// Floats as integers of the same order, to sort by.
#pragma once

#include "both.h"

namespace spinert {

// Ascending as the float is, -0 as 0. No number has 0 or the largest integer.
SPINERT_BOTH uint32_t ascending_key(float value) {
    const auto bits = static_cast<uint32_t>(bits_of(value + 0.0f));
    return bits >> 31 != 0 ? ~bits : bits | 0x80000000u;
}

}  // namespace spinert
