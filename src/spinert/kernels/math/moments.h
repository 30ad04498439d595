// Mean and standard deviation in Hounsfield units from sums of stored values in whole numbers.
#pragma once

#include "hounsfield.h"

namespace spinert {

// What a slice's stored values sum up to. `sum` and `squares` are of stored - bias within the span, modulo 2**64, and
// `under` and `over` count those on either side of it. The bias makes every stored value fit 16 bits with a sign.
struct SliceSums {
    uint64_t within, under, over, sum, squares;
};
SPINERT_BOTH int bias_of(int least) { return least < 0 ? 0 : 0x8000; }

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
