// Arc tangent, sine and cosine as plain arithmetic. The C library picks its code by processor, so its last bit may
// differ between machines.
#pragma once

#include "elementary.h"

namespace spinert {

// atan2(y, x) for y >= 0: 0..pi; 0 for y = x = 0, nan where either is not finite.
// atan(t) = atan(c) + atan((t - c) / (1 + t c)) with c the nearest k / 4, so the rest is at most 1/8 and the Taylor
// series to its 17th power leaves less than 4e-19.
template <class Number>
SPINERT_BOTH Number arc_tangent(Number y, Number x) {
    const Number zero = like(0.0, x), one = like(1.0, x);
    const Number across = magnitude(x);
    const auto steep = across < y;
    const Number small = select(steep, across, y), large = select(steep, y, across);

    const auto beyond_1 = like(0.125, x) * large < small, beyond_2 = like(0.375, x) * large < small;
    const auto beyond_3 = like(0.625, x) * large < small, beyond_4 = like(0.875, x) * large < small;
    Number c = select(beyond_1, like(0.25, x), zero);
    c = select(beyond_2, like(0.5, x), c);
    c = select(beyond_3, like(0.75, x), c);
    c = select(beyond_4, one, c);
    Number angle = select(beyond_1, like(0.24497866312686415417, x), zero);  // atan(k / 4)
    angle = select(beyond_2, like(0.46364760900080611621, x), angle);
    angle = select(beyond_3, like(0.64350110879328438680, x), angle);
    angle = select(beyond_4, like(0.78539816339744830962, x), angle);

    const Number u = (small - c * large) / select(zero < large, large + c * small, one);
    const Number uu = u * u;
    Number series = like(1.0 / 17.0, x);
    series = like(1.0 / 15.0, x) - series * uu;
    series = like(1.0 / 13.0, x) - series * uu;
    series = like(1.0 / 11.0, x) - series * uu;
    series = like(1.0 / 9.0, x) - series * uu;
    series = like(1.0 / 7.0, x) - series * uu;
    series = like(1.0 / 5.0, x) - series * uu;
    series = like(1.0 / 3.0, x) - series * uu;
    angle = angle + (u - u * uu * series);
    angle = select(steep, like(1.5707963267948966192, x) - angle, angle);
    return select(x < zero, like(3.1415926535897932385, x) - angle, angle);
}

constexpr double kMostRadians = 1e6;

struct Direction {
    double cosine, sine;
};

// Of an angle within +-kMostRadians, good to 2e-15. pi / 2 is taken off in two parts of 33 bits, so that k times each is
// exact.
SPINERT_BOTH Direction direction_of(double radians) {
    const double shifter = 6755399441055744.0;  // adding 1.5 * 2**52 rounds to an integer
    const double k = (radians * 0.63661977236758134308 + shifter) - shifter;
    const double r = (radians - k * 0x1.921fb544p+0) - k * 0x1.0b4611a6p-34;
    const double across = cosine(r), up = sine(r);
    switch (static_cast<int>(k) & 3) {
        case 0: return {across, up};
        case 1: return {-up, across};
        case 2: return {-across, -up};
        default: return {up, -across};
    }
}

}  // namespace spinert
