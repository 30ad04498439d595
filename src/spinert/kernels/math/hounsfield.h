// Stored values and the Hounsfield units that they stand for (DICOM PS3.3 C.11.1.1.2: HU = slope * stored + intercept).
#pragma once

#include <cstddef>

#include "both.h"

namespace spinert {

struct Rescale {
    double slope, intercept;
};

// Stored values [slices, rows, columns]. Slice i has slopes[i] and intercepts[i], or all have the first of them.
template <class Pixel>
struct StoredVolume {
    const Pixel* stored;
    size_t slices, rows, columns;
    const double *slopes, *intercepts;
    bool per_slice;

    Rescale rescale(size_t slice) const {
        const size_t i = per_slice ? slice : 0;
        return {slopes[i], intercepts[i]};
    }
};

SPINERT_BOTH double hu_of(Rescale rescale, int stored) { return rescale.slope * stored + rescale.intercept; }

// Stored values first..last. None where first is last + 1: HU are too low on one side of it and too high on the other.
struct Span {
    int32_t first, last;
};

// The stored values among least..most that are low..high HU. Searched rather than divided for: HU rise or fall steadily
// with the stored value, roundings included, so that each value is judged by its own HU.
SPINERT_BOTH Span span_of(Rescale rescale, double low, double high, int least, int most) {
    const bool rising = rescale.slope > 0.0;
    int32_t first = least, end = least;
    for (int32_t stop = most + 1; first < stop;) {
        const int32_t middle = first + (stop - first) / 2;
        const double hu = hu_of(rescale, middle);
        if (rising ? hu >= low : hu <= high) {
            stop = middle;
        } else {
            first = middle + 1;
        }
    }
    for (int32_t stop = most + 1; end < stop;) {
        const int32_t middle = end + (stop - end) / 2;
        const double hu = hu_of(rescale, middle);
        if (rising ? hu > high : hu < low) {
            stop = middle;
        } else {
            end = middle + 1;
        }
    }
    return {first, end - 1};
}

// Infinite where a double is beyond a float, which a cast need not give.
SPINERT_BOTH float to_float(double value) {
    const float infinity = float_of_bits(0x7f800000);
    if (value > 3.4028234663852886e38) return infinity;
    if (value < -3.4028234663852886e38) return -infinity;
    return static_cast<float>(value);
}

// (HU - shift) * scale = (stored - centre) * gain + offset. The centre is a stored value about where the result is 0:
// the difference is exact, and nothing large is left to cancel in single precision.
struct Line {
    int32_t centre;
    float gain, offset;
};

SPINERT_BOTH Line line_of(Rescale rescale, double shift, double scale, int least, int most) {
    const double zero = (shift - rescale.intercept) / rescale.slope;
    const int32_t centre = !(zero > least) ? least : zero < most ? static_cast<int32_t>(zero) : most;
    const double offset = (hu_of(rescale, centre) - shift) * scale;
    return {centre, to_float(rescale.slope * scale), to_float(offset)};
}

// (HU clipped to low..high, less shift) * scale; `outside` instead where HU are not in low..high, if it is `filled`.
// The scale is above 0.
struct Grading {
    double low, high, shift, scale;
    float outside;
    bool filled;
};

// What a slice's stored values become: the line, bounded; `outside` beyond the span, if it is `filled`.
struct Curve {
    Line line;
    float lowest, highest;
    Span span;
    float outside;
    bool filled;
};

// Results that are whole numbers of 0..255 are cut to them after 1/2 is added, which makes them the nearest.
SPINERT_BOTH float whole_bound(float bound) {
    const float v = bound + 0.5f;
    return !(v > 0.5f) ? 0.5f : v < 255.5f ? v : 255.5f;
}

// For stored values of least..most; `whole` where the result is a whole number of 0..255.
SPINERT_BOTH Curve curve_of(Rescale rescale, const Grading& g, int least, int most, bool whole) {
    Curve curve = {line_of(rescale, g.shift, g.scale, least, most),
                   to_float((g.low - g.shift) * g.scale),
                   to_float((g.high - g.shift) * g.scale),
                   span_of(rescale, g.low, g.high, least, most),
                   g.outside,
                   g.filled};
    if (whole) {
        curve.line.offset += 0.5f;
        curve.lowest = whole_bound(curve.lowest);
        curve.highest = whole_bound(curve.highest);
        curve.outside += 0.5f;
    }
    return curve;
}

// What `Grades` of cpu/grading.inl does on sixteen lanes; nan, which no sensible rescale gives, becomes the lowest.
SPINERT_BOTH float graded(const Curve& curve, int32_t stored) {
    const float v = static_cast<float>(stored - curve.line.centre) * curve.line.gain + curve.line.offset;
    const float above = v > curve.lowest ? v : curve.lowest;
    const float within = above < curve.highest ? above : curve.highest;
    const bool inside = curve.span.first <= stored && stored <= curve.span.last;
    return curve.filled && !inside ? curve.outside : within;
}

}  // namespace spinert
