// Stored values of CT and MR to a network's input by way of Hounsfield units, and the mask of a range of them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../math/half.h"
#include "../math/moments.h"
#include "isa.h"

namespace spinert {

// As `Grading` says. Out is float, Half, or uint8_t: the nearest whole number, halves upwards, clipped to 0..255.
template <class Pixel, class Out>
void rescale_hu(StoredVolume<Pixel> volume, const Grading& grading, Out* out, int threads);

// Zero mean and unit standard deviation over the voxels, HU clipped to low..high, where `mask` (or null) is not 0.
// moments [3]: voxels, mean, standard deviation; where either of the latter is 0 or nan, out is 0.
template <class Pixel, class Out>
void zscore_hu(StoredVolume<Pixel> volume, double low, double high, const uint8_t* mask, double* moments, Out* out,
               int threads);

// 1 where HU are low..high, else 0; box [3, 2] from the first to behind the last of them on each axis, or zeros.
template <class Pixel>
void threshold_mask(StoredVolume<Pixel> volume, double low, double high, uint8_t* mask, int64_t* box, int threads);

namespace intensity {

template <class Pixel>
struct PixelKernels {
    // `streamed` past the caches
    void (*to_float)(const Pixel* stored, size_t n, const Curve& curve, bool streamed, float* out);
    void (*to_half)(const Pixel* stored, size_t n, const Curve& curve, bool streamed, Half* out);
    void (*to_u8)(const Pixel* stored, size_t n, const Curve& curve, bool streamed, uint8_t* out);
    // adds to `sums` the voxels where `mask` (or null) is not 0; the span has a value
    void (*sum)(const Pixel* stored, const uint8_t* mask, size_t n, Span span, SliceSums& sums);
    // returns whether the mask may have a 1
    bool (*mask)(const Pixel* stored, size_t n, Span span, bool streamed, uint8_t* mask);
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
