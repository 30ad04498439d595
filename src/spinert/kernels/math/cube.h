// A cube of voxels round a point, each axis for itself, and the weights of a Gaussian along it.
#pragma once

#include "elementary.h"

namespace spinert {

// [slices, rows, columns].
struct FloatVolume {
    const float* values;
    int64_t shape[3];
};
// Voxels along an edge, and the Gaussian within in voxels.
struct Neighbourhood {
    int64_t cube;
    double sigma;
};

// Voxels first .. first + count - 1 of an axis of `size` voxels.
struct AxisRange {
    int64_t first, count;
};

// Those voxels whose centre lies in [centre - cube / 2, centre + cube / 2): `cube` of them, less where the axis ends.
SPINERT_BOTH AxisRange axis_range(double centre, int64_t cube, int64_t size) {
    const double low = centre - 0.5 * static_cast<double>(cube);
    const double last = static_cast<double>(size);
    if (!(low < last && low > -static_cast<double>(cube))) return {0, 0};  // outside, or nan
    int64_t first = static_cast<int64_t>(low);
    first += static_cast<double>(first) < low ? 1 : 0;
    const int64_t end = first + cube < size ? first + cube : size;
    first = first > 0 ? first : 0;
    return {first, end > first ? end - first : 0};
}

// Of voxel i, relative to the weight of the range's voxel that is nearest to the centre: however narrow the Gaussian,
// one voxel counts.
SPINERT_BOTH double gaussian_weight(AxisRange range, double centre, double sigma, int64_t i) {
    const double low = static_cast<double>(range.first), high = static_cast<double>(range.first + range.count - 1);
    double nearest = centre < low ? low : centre > high ? high : centre;
    nearest = static_cast<double>(static_cast<int64_t>(nearest + 0.5));
    const double near = nearest - centre, far = static_cast<double>(i) - centre;
    const double beyond = (far - near) * (far + near);
    return exponential(beyond > 0.0 ? -0.5 * (beyond / sigma) / sigma : 0.0);
}

}  // namespace spinert
