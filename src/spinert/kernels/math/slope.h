// The slope of a curve of samples one apart.
#pragma once

#include "elementary.h"

namespace spinert {

// At sample i: half the difference of its neighbours, at the ends the difference from the only one.
SPINERT_BOTH double slope_of_sample(const double* values, int64_t n, int64_t i) {
    if (i == 0) return values[1] - values[0];
    if (i == n - 1) return values[n - 1] - values[n - 2];
    return 0.5 * (values[i + 1] - values[i - 1]);
}

// At point j of `points` even ones from the first sample to the last, linear between samples; nan for fewer
// than 2 samples; points are 2 or more.
SPINERT_BOTH double slope_of_point(const double* values, int64_t n, int64_t points, int64_t j) {
    if (n < 2) return not_a_number();
    // j (n - 1) / (points - 1) in whole numbers, so that a point on a sample is on it exactly
    const int64_t whole = (n - 1) / (points - 1), part = (n - 1) % (points - 1);
    const int64_t i = j * whole + j * part / (points - 1), rest = j * part % (points - 1);
    const double slope = slope_of_sample(values, n, i);
    if (rest == 0) return slope;
    const double share = static_cast<double>(rest) / static_cast<double>(points - 1);
    return slope + share * (slope_of_sample(values, n, i + 1) - slope);
}

}  // namespace spinert
