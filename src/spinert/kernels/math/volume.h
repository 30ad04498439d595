// Volumes, and grids that are laid over them.
#pragma once

#include "axis.h"

namespace spinert {

// C-order [slices, rows, columns]
template <class Voxel>
struct Volume {
    const Voxel* voxels;
    int slices, rows, columns;
};

// The voxels of a result: how many, and where on the axes of the volume.
struct ResampleGrid {
    int slices, rows, columns;
    AxisGrid slice, row, column;
};

// A stored value becomes factor * clip(value - shift, least, most), the factor after the interpolation.
struct StoredWindow {
    float shift, least, most, factor;
};
SPINERT_BOTH bool is_none(const StoredWindow& window) {
    const float infinity = __builtin_huge_valf();
    return window.shift == 0.0f && window.least == -infinity && window.most == infinity && window.factor == 1.0f;
}
SPINERT_BOTH float clip_stored(float value, const StoredWindow& window) {
    const float above = value - window.shift, clipped = above < window.least ? window.least : above;
    return clipped > window.most ? window.most : clipped;
}

// What is left of the window when values have been interpolated: clip(factor * value, least, most), the clip because
// weights may add up to a rounding over 1.
struct Shade {
    float factor, least, most;
};
SPINERT_BOTH Shade shade_of(const StoredWindow& window) {
    const float a = window.factor * window.least, b = window.factor * window.most;
    return {window.factor, a < b ? a : b, a < b ? b : a};
}

}  // namespace spinert
