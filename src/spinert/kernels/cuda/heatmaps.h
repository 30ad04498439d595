// Heat-maps to points on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stream.h"

namespace spinert::cuda {

// C-order [n, depth, height, width]. A point has `axes` coordinates: (x, y) with depth 1, or (x, y, z).
struct Maps {
    const float* values;
    size_t n;
    int depth, height, width;
    int axes;
};

struct Softmax {
    double temperature;
    int radius;
};

// masks [n / maps_per_mask, depth, height, width], or null for none.
struct Mask {
    const uint8_t* masks;
    size_t maps_per_mask;
};

struct PeakRule {
    int k;
    double min_distance;
    float threshold;
};

void soft_argmax(const Maps& maps, const Softmax& softmax, float* points, float* confidence, Stream& stream);
void soft_moments(const Maps& maps, const Softmax& softmax, float* points, float* confidence, float* covariance,
                  Stream& stream);
void mean_above(const Maps& maps, float threshold, const Mask& mask, float* points, int32_t* count, float* confidence,
                Stream& stream);
void peak(const Maps& maps, float* points, float* value, Stream& stream);
void top_peaks(const Maps& maps, const PeakRule& rule, float* points, float* values, int32_t* count, Stream& stream);

}  // namespace spinert::cuda
