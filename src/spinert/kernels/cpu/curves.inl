// Polynomials, smoothing by heat, slopes.
#include "curves.h"

#include "../math/heat.h"
#include "../math/slope.h"
#include "lanes.inl"

#include "doubles.inl"
#include "polynomial.inl"
#include "heat.inl"

namespace spinert {
namespace {

static void slopes(const double* values, size_t n, int64_t points, double* slopes) {
    for (int64_t j = 0; j < points; ++j) slopes[j] = slope_of_point(values, static_cast<int64_t>(n), points, j);
}

}  // namespace
}  // namespace spinert

namespace spinert::curves {
namespace {

constexpr Kernels kTable = {fit, evaluate, smooth, slopes};

}  // namespace
}  // namespace spinert::curves
