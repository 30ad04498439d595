// Stored values and the Hounsfield units that they stand for (DICOM PS3.3 C.11.1.1.2: HU = slope * stored + intercept).
#pragma once

#include "both.h"

namespace spinert {

struct Rescale {
    double slope, intercept;
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
    return {centre, static_cast<float>(rescale.slope * scale), static_cast<float>(offset)};
}

// What a slice's stored values sum up to. `sum` and `squares` are of stored - bias within the span, modulo 2**64, and
// `under` and `over` count those on either side of it. The bias makes every stored value fit 16 bits with a sign.
struct SliceSums {
    uint64_t within, under, over, sum, squares;
};

// Voxels, their sum in HU, and the sum of the squares of their distances from `mean`; those outside low..high clipped.
// Every sum of integers is exact, so that only the last steps round.
struct SliceHu {
    double voxels, sum, squares;
};

SPINERT_BOTH void add_to(SliceHu& total, const SliceHu& slice) {
    total.voxels += slice.voxels;
    total.sum += slice.sum;
    total.squares += slice.squares;
}

SPINERT_BOTH SliceHu hu_of_slice(const SliceSums& sums, int bias, Rescale rescale, double low, double high,
                                 double mean) {
    const double under = rescale.slope > 0.0 ? low : high, over = rescale.slope > 0.0 ? high : low;
    SliceHu slice = {static_cast<double>(sums.within + sums.under + sums.over), 0.0, 0.0};
    if (sums.under > 0) {
        slice.sum += static_cast<double>(sums.under) * under;
        slice.squares += static_cast<double>(sums.under) * ((under - mean) * (under - mean));
    }
    if (sums.over > 0) {
        slice.sum += static_cast<double>(sums.over) * over;
        slice.squares += static_cast<double>(sums.over) * ((over - mean) * (over - mean));
    }
    if (sums.within > 0) {
        const double n = static_cast<double>(sums.within);
        const int64_t sum = static_cast<int64_t>(sums.sum), count = static_cast<int64_t>(sums.within);
        // about the whole number `near` the mean the squares are small enough for 64 bits, whatever wrapped before
        const int64_t near = sum / count, rest = sum - near * count;
        const uint64_t about = sums.squares - static_cast<uint64_t>(near) * (sums.sum + static_cast<uint64_t>(rest));
        const double spread = static_cast<double>(about) - static_cast<double>(rest) * (static_cast<double>(rest) / n);
        const double middle = rescale.slope * (static_cast<double>(near + bias) + static_cast<double>(rest) / n) +
                              rescale.intercept;
        slice.sum += n * middle;
        slice.squares += rescale.slope * rescale.slope * spread + n * ((middle - mean) * (middle - mean));
    }
    return slice;
}

}  // namespace spinert
