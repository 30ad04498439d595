// Lanes of double as numbers of math/*.h.
#pragma once

#include "../math/numbers.h"
#include "lanes.inl"

namespace spinert {
namespace {

using Doubles = Lanes<double>;

SPINERT_LANEWISE(/)

SPINERT_INLINE Doubles like(double value, Doubles) { return all(value); }

}  // namespace
}  // namespace spinert
