// The vertex of a parabola between samples.
#pragma once

#include "both.h"

namespace spinert {

// Through three neighbouring samples, the middle one the highest: how far from the middle the vertex lies, -1/2 .. 1/2.
SPINERT_BOTH double parabola_step(double before, double middle, double after) {
    const double curvature = (before - middle) + (after - middle);
    if (!(curvature < 0.0)) return 0.0;
    const double step = 0.5 * (before - after) / curvature;
    return step < -0.5 ? -0.5 : step > 0.5 ? 0.5 : step;
}

}  // namespace spinert
