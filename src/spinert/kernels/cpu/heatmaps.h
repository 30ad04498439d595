// Heat-maps to points.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace spinert {

// C-order [n, depth, height, width]. A point has `axes` coordinates: (x, y) with depth 1, or (x, y, z).
struct Maps {
    const float* values;
    size_t n;
    int depth, height, width;
    int axes;

    int lines() const { return depth * height; }
    int cells() const { return depth * height * width; }
    const float* map(size_t i) const { return values + i * static_cast<size_t>(cells()); }
};

struct Cell {
    int x, y, z;
};

struct Softmax {
    double temperature;
    int radius;
};

// Mean positions points [n, axes] under softmax(map / temperature) and the share of it near the highest cell [n].
void soft_argmax(Maps maps, Softmax softmax, float* points, float* confidence, int threads);

// The same, and covariance [n, axes, axes].
void soft_moments(Maps maps, Softmax softmax, float* points, float* confidence, float* covariance, int threads);

// Mean position of the cells above the threshold where the mask is not 0, how many they are and their mean value.
// masks [n / maps_per_mask, depth, height, width], or null for none.
struct Mask {
    const uint8_t* masks;
    size_t maps_per_mask;
};
void mean_above(Maps maps, float threshold, Mask mask, float* points, int32_t* count, float* confidence, int threads);

// Highest cell with a parabola step, points [n, axes], and its value [n].
void peak(Maps maps, float* points, float* value, int threads);

// The highest peaks above the threshold, min_distance or more apart: points [n, k, axes], values [n, k], count [n].
struct PeakRule {
    int k;
    double min_distance;
    float threshold;
};
void top_peaks(Maps maps, PeakRule rule, float* points, float* values, int32_t* count, int threads);

namespace heatmaps {

// A map is cut into blocks of whole lines; the last one may have fewer.
struct Blocks {
    int lines, count;
};

// `tops` is scratch of blocks.count, `best` as well, `taken` of k.
struct Kernels {
    void (*soft_argmax)(const float* map, Maps shape, Softmax softmax, Blocks blocks, float* tops, float* point,
                        float* confidence);
    void (*soft_moments)(const float* map, Maps shape, Softmax softmax, Blocks blocks, float* tops, float* point,
                         float* confidence, float* covariance);
    void (*mean_above)(const float* map, Maps shape, float threshold, const uint8_t* mask, Blocks blocks, float* tops,
                       float* point, int32_t* count, float* confidence);
    void (*peak)(const float* map, Maps shape, Blocks blocks, float* tops, float* point, float* value);
    void (*top_peaks)(const float* map, Maps shape, PeakRule rule, Blocks blocks, float* tops, int32_t* best,
                      int32_t* taken, float* points, float* values, int32_t* count);
};
SPINERT_TABLES

}  // namespace heatmaps
}  // namespace spinert
