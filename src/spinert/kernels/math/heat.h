// Explicit Euler steps of the heat equation on a curve, u[i] += coefficient * (u[i - 1] - 2 u[i] + u[i + 1]), in the
// curve's own modes: a step multiplies mode k by 1 - 4 coefficient sin(pi k / 2L)**2, so many steps are a power of it.
//
// Ends that are held: the modes are sin(pi k i / L) of what is left over the straight line between the ends, and L is
// n - 1. Free ends, each with a neighbour beyond that is always its equal: cos(pi k (i + 1/2) / L), and L is n.
#pragma once

#include "elementary.h"

namespace spinert {

// sin and cos of pi quarters / 4 length, for 0 <= quarters <= length.
SPINERT_BOTH double sine_of_quarters(int64_t quarters, int64_t length) {
    return sine(0.78539816339744830962 * (static_cast<double>(quarters) / static_cast<double>(length)));
}
SPINERT_BOTH double cosine_of_quarters(int64_t quarters, int64_t length) {
    return cosine(0.78539816339744830962 * (static_cast<double>(quarters) / static_cast<double>(length)));
}

// (1 - x)**steps for 0 <= x <= 2; 0 below e**-40, which is nothing beside the other modes in a double.
SPINERT_BOTH double decay(double x, int64_t steps) {
    if (steps == 0) return 1.0;
    const double logarithm = static_cast<double>(steps) * log_of_one_less(x);
    if (!(logarithm >= -40.0)) return 0.0;
    const double size = exponential(logarithm);
    return x > 1.0 && steps % 2 != 0 ? -size : size;
}

// A curve of n samples. Held ends leave samples 1 .. n - 2 and modes 1 .. n - 2, free ones all of them.
struct HeatedCurve {
    int64_t length, first_sample, samples, first_mode;
    double before, after;  // the ends that are held
};
SPINERT_BOTH HeatedCurve heated_curve(const double* values, int64_t n, bool free_ends) {
    if (free_ends) return {n, 0, n, 0, 0.0, 0.0};
    return {n - 1, 1, n - 2, 1, values[0], values[n - 1]};
}
// The straight line between ends that are held.
SPINERT_BOTH double between_ends(const HeatedCurve& curve, int64_t i) {
    return curve.before + (curve.after - curve.before) * (static_cast<double>(i) / static_cast<double>(curve.length));
}

// Sums over an angle's multiples by Clenshaw's recurrence y = value + 2 cos(angle) y' - y'', in its differences
// d = y - y' (C. Reinsch): with delta = -4 sin(angle / 2)**2 it is exact near angle 0 too. Angles above pi / 2 are those
// below it with every other sign turned.
//
// What a recurrence over the samples, last to first, makes of a mode at `angle` = pi k / L, half of it given by its sine
// and cosine; `far`: of mode L - k, every other sample's sign turned.
SPINERT_BOTH double mode_of(double y, double d, double half_sine, double half_cosine, bool free_ends, bool far) {
    if (!free_ends) return 2.0 * half_sine * half_cosine * y;
    return far ? half_sine * (y + (y - d)) : half_cosine * d;
}
// What a recurrence over modes 1 and up, highest first, makes of a sample at `angle`.
SPINERT_BOTH double sample_of(double y, double d, double half_sine, double half_cosine, double mean, bool free_ends) {
    if (!free_ends) return 2.0 * half_sine * half_cosine * y;
    return mean + (d - 2.0 * half_sine * half_sine * y);
}

}  // namespace spinert
