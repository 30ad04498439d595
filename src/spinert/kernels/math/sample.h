// Where a point lies between the voxels of an axis.
#pragma once

#include "both.h"

namespace spinert {

// Where a position lies between two neighbours on one axis: at `low`, and `high` is the next one with weight `share`;
// low itself where the share is 0, so that a neighbour without weight is never read.
struct Between {
    int low, high;
    float share;
    int inside;  // 1 where the position lies in the extent of the inputs, -1/2 .. inputs - 1/2; else, and for nan, 0
};

// Without a branch, so that a loop over it becomes lanes.
SPINERT_BOTH Between between(double position, int inputs) {
    const double last = inputs - 1;
    const double least = position >= 0.0 ? position : 0.0;
    const double clamped = least <= last ? least : last;
    const int low = static_cast<int>(clamped);
    const double share = clamped - low;
    const int inside = static_cast<int>(position >= -0.5) & static_cast<int>(position <= last + 0.5);
    return {low, low + static_cast<int>(share > 0.0), static_cast<float>(share), inside};
}

SPINERT_BOTH float mix(float low, float high, float share) { return (1.0f - share) * low + share * high; }

// Sample k of `samples`, evenly spaced within output i.
SPINERT_BOTH double sample_at(int i, int k, int samples) { return i + ((k + 0.5) / samples - 0.5); }

}  // namespace spinert
