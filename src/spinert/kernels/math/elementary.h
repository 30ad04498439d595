// Elementary functions in double, by polynomials of our own: the C library picks its code by processor.
#pragma once

#include "numbers.h"

namespace spinert {

constexpr double kLn2High = 6.93147180369123816490e-01;  // the low 32 bits are 0: exact times an integer below 2**20
constexpr double kLn2Low = 1.90821492927058770002e-10;

SPINERT_BOTH double power_of_two(int64_t n) {  // -1022 <= n <= 1023
    const int64_t bits = (n + 1023) << 52;
    double value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

// sin x and cos x for |x| <= pi / 4, by Taylor polynomials whose remainders are below 1e-19.
SPINERT_BOTH double sine(double x) {
    const double xx = x * x;
    double series = 1.0 / 355687428096000.0;
    series = series * xx - 1.0 / 1307674368000.0;
    series = series * xx + 1.0 / 6227020800.0;
    series = series * xx - 1.0 / 39916800.0;
    series = series * xx + 1.0 / 362880.0;
    series = series * xx - 1.0 / 5040.0;
    series = series * xx + 1.0 / 120.0;
    series = series * xx - 1.0 / 6.0;
    return x + x * xx * series;
}
SPINERT_BOTH double cosine(double x) {
    const double xx = x * x;
    double series = -1.0 / 6402373705728000.0;
    series = series * xx + 1.0 / 20922789888000.0;
    series = series * xx - 1.0 / 87178291200.0;
    series = series * xx + 1.0 / 479001600.0;
    series = series * xx - 1.0 / 3628800.0;
    series = series * xx + 1.0 / 40320.0;
    series = series * xx - 1.0 / 720.0;
    series = series * xx + 1.0 / 24.0;
    return 1.0 - (0.5 * xx - xx * xx * series);
}

// ln|1 - x| for 0 <= x <= 2, -1e300 for 1. Its relative error is a few units of the last place also where x is tiny and
// 1 - x has lost most of it: ln f = 2 artanh((f - 1) / (f + 1)), and f - 1 is -x itself there.
SPINERT_BOTH double log_of_one_less(double x) {
    double z, exponent = 0.0;
    if (x < 0.29) {
        z = -x / (2.0 - x);
    } else {
        const double rest = x < 1.0 ? 1.0 - x : x - 1.0;
        if (rest == 0.0) return -1e300;
        int64_t bits;
        __builtin_memcpy(&bits, &rest, sizeof bits);
        int64_t power = (bits >> 52) - 1023;  // never below -53: rest is a difference of numbers near 1
        double f = rest * power_of_two(-power);
        if (f > 1.4142135623730951) {
            f *= 0.5;
            power += 1;
        }
        exponent = static_cast<double>(power);
        z = (f - 1.0) / (f + 1.0);
    }
    const double zz = z * z;  // at most 0.0295
    double series = 1.0 / 23.0;
    for (int odd = 21; odd >= 3; odd -= 2) series = series * zz + 1.0 / odd;
    return exponent * kLn2High + (2.0 * (z + z * zz * series) + exponent * kLn2Low);
}

// e**x for x <= 0, -inf included; below -700 the result is 0. Relative error under 3e-16.
// x = n ln 2 + r with |r| <= ln 2 / 2; e**r by its Taylor polynomial of degree 13, whose remainder is below 5e-18.
SPINERT_BOTH double exponential(double x) {
    if (!(x >= -700.0)) return 0.0;
    const int64_t n = static_cast<int64_t>(x * 1.4426950408889634074 - 0.5);
    const double count = static_cast<double>(n);
    const double r = (x - count * kLn2High) - count * kLn2Low;
    double series = 1.0 / 6227020800.0;
    series = series * r + 1.0 / 479001600.0;
    series = series * r + 1.0 / 39916800.0;
    series = series * r + 1.0 / 3628800.0;
    series = series * r + 1.0 / 362880.0;
    series = series * r + 1.0 / 40320.0;
    series = series * r + 1.0 / 5040.0;
    series = series * r + 1.0 / 720.0;
    series = series * r + 1.0 / 120.0;
    series = series * r + 1.0 / 24.0;
    series = series * r + 1.0 / 6.0;
    series = series * r + 0.5;
    return (1.0 + (r + r * r * series)) * power_of_two(n);
}

}  // namespace spinert
