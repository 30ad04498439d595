// Stored values of CT and MR to a network's input by way of Hounsfield units, and the mask of a range of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../math/hounsfield.h"
#include "isa.h"

namespace spinert {

// Half precision, as bits.
struct Half {
    uint16_t bits;
};

// Stored values [slices, rows, columns]. Slice i has slopes[i] and intercepts[i], or all have the first of them.
template <class Pixel>
struct Volume {
    const Pixel* stored;
    size_t slices, rows, columns;
    const double *slopes, *intercepts;
    bool per_slice;

    Rescale rescale(size_t slice) const {
        const size_t i = per_slice ? slice : 0;
        return {slopes[i], intercepts[i]};
    }
};

// (HU clipped to low..high, less shift) * scale; `outside` instead where HU are not in low..high, if it is `filled`.
// The scale is above 0.
struct Grading {
    double low, high, shift, scale;
    float outside;
    bool filled;
};

// Out is float, Half, or uint8_t: the nearest whole number, halves upwards, clipped to 0..255.
template <class Pixel, class Out>
void rescale_hu(Volume<Pixel> volume, const Grading& grading, Out* out, int threads);

// Zero mean and unit standard deviation over the voxels, HU clipped to low..high, where `mask` (or null) is not 0.
// moments [3]: voxels, mean, standard deviation; where either of the latter is 0 or nan, out is 0.
template <class Pixel, class Out>
void zscore_hu(Volume<Pixel> volume, double low, double high, const uint8_t* mask, double* moments, Out* out,
               int threads);

// 1 where HU are low..high, else 0; box [3, 2] from the first to behind the last of them on each axis, or zeros.
template <class Pixel>
void threshold_mask(Volume<Pixel> volume, double low, double high, uint8_t* mask, int64_t* box, int threads);

// What a slice's stored values become: the line, bounded; `outside` beyond the span, if it is `filled`.
struct Curve {
    Line line;
    float lowest, highest;
    Span span;
    float outside;
    bool filled, streamed;
};

namespace intensity {

template <class Pixel>
struct PixelKernels {
    void (*to_float)(const Pixel* stored, size_t n, const Curve& curve, float* out);
    void (*to_half)(const Pixel* stored, size_t n, const Curve& curve, Half* out);
    void (*to_u8)(const Pixel* stored, size_t n, const Curve& curve, uint8_t* out);
    // adds to `sums` the voxels where `mask` (or null) is not 0; the span has a value
    void (*sum)(const Pixel* stored, const uint8_t* mask, size_t n, Span span, SliceSums& sums);
    void (*mask)(const Pixel* stored, size_t n, Span span, bool streamed, uint8_t* mask);
    // whether a value of these lies within the span
    bool (*contains)(const Pixel* stored, size_t n, Span span);
};

struct Kernels {
    PixelKernels<int16_t> i16;
    PixelKernels<uint16_t> u16;
};
SPINERT_TABLES

template <class Pixel>
const PixelKernels<Pixel>& active_for();
template <>
inline const PixelKernels<int16_t>& active_for() {
    return active().i16;
}
template <>
inline const PixelKernels<uint16_t>& active_for() {
    return active().u16;
}

}  // namespace intensity
}  // namespace spinert
