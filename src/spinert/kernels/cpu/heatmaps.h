// Heat-maps to points.
#pragma once

#include <cstddef>

#include "isa.h"

namespace spinert {

struct Maps {
    const float* values;
    size_t n;
    int height, width;
};

// Softmax-weighted mean position xy [n, 2] and the share of mass near the highest cell [n].
void soft_argmax(Maps maps, int radius, float* xy, float* confidence, int threads);

// Highest cell with a parabola step, xy [n, 2], and its value [n].
void peak(Maps maps, float* xy, float* value, int threads);

namespace heatmaps {

struct Kernels {
    void (*soft_argmax)(Maps maps, int radius, float* xy, float* confidence);
    void (*peak)(Maps maps, float* xy, float* value);
};
SPINERT_TABLES

}  // namespace heatmaps
}  // namespace spinert
