// Cobb geometry of one spine. A spine is corners [vertebrae][4][2] from head to foot: TL, TR, BL, BR as (x, y).
#pragma once

#include "trigonometry.h"

namespace spinert {

constexpr double kDegreesPerRadian = 57.295779513082320877;

// To the next integer, of two the even one; for |value| < 2**51.
SPINERT_BOTH double rounded(double value) {
    const double shifter = 6755399441055744.0;
    return (value + shifter) - shifter;
}

// Left-to-right direction of a vertebra, (TR + BR) / 2 - (TL + BL) / 2.
SPINERT_BOTH double tilt(const double* vertebra, int axis) {
    return 0.5 * (vertebra[2 + axis] + vertebra[6 + axis]) - 0.5 * (vertebra[axis] + vertebra[4 + axis]);
}

// Angle between two vectors, degrees 0..180.
template <class Number>
SPINERT_BOTH Number degrees_between(Number ax, Number ay, Number bx, Number by) {
    const Number cross = ax * by - ay * bx, dot = ax * bx + ay * by;
    return arc_tangent(magnitude(cross), dot) * like(kDegreesPerRadian, ax);
}

}  // namespace spinert
