// One axis of a resample: where an output lies among the inputs, and which inputs it is made of.
#pragma once

#include "both.h"

namespace spinert {

// Output i lies at input origin + step * i, clamped to the inputs 0 .. inputs - 1; step > 0.
struct AxisGrid {
    double step, origin;
};

SPINERT_BOTH double centre_of(AxisGrid axis, int inputs, int i) {
    const double centre = axis.origin + axis.step * i;
    return centre < 0.0 ? 0.0 : centre > inputs - 1 ? inputs - 1 : centre;
}

SPINERT_BOTH int nearest_to(double centre, int inputs) {
    const int nearest = static_cast<int>(centre + 0.5);
    return nearest < inputs ? nearest : inputs - 1;
}

// The inputs closer to `centre` than max(1, step).
struct Reach {
    double length;
    int first, count;
};
SPINERT_BOTH Reach reach_of(AxisGrid axis, int inputs, double centre) {
    const double length = axis.step > 1.0 ? axis.step : 1.0;
    const double low = centre - length, high = centre + length;
    const int first = low < 0.0 ? 0 : static_cast<int>(low) + 1;
    if (high > inputs - 1) return {length, first, inputs - first};
    const int whole = static_cast<int>(high);
    return {length, first, (whole < high ? whole + 1 : whole) - first};
}

// Before it is divided by the sum of all: a triangle that is 1 at the centre and 0 at the end of the reach.
SPINERT_BOTH double weight_of(const Reach& reach, double centre, int t) {
    const double distance = reach.first + t - centre;
    return 1.0 - (distance < 0.0 ? -distance : distance) / reach.length;
}

}  // namespace spinert
