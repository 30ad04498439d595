// Vectors along vertebrae and the angles between them, in double.
#include "angles.h"

#include "lanes.inl"

namespace spinert {
namespace {

constexpr double kPi = 3.1415926535897932385;
constexpr double kDegreesPerRadian = 57.295779513082320877;

// atan(k / 8), k = 0..8
constexpr double kArcTangent[9] = {
    0.0,
    0.12435499454676143503,
    0.24497866312686415417,
    0.35877067027057222040,
    0.46364760900080611621,
    0.55859931534356243597,
    0.64350110879328438680,
    0.71882999962162450542,
    0.78539816339744830962,
};

// atan2(y, x) for y >= 0: 0..pi; 0 for y = x = 0, nan where either is not finite. The C library's atan2 picks its code
// by processor, so its last bit may differ between machines; this one is plain arithmetic.
// atan(t) = atan(c) + atan((t - c) / (1 + t c)) with c the nearest k / 8, so the rest is at most 1/16 and the Taylor
// series to its 13th power leaves less than 6e-20.
SPINERT_INLINE double arc_tangent(double y, double x) {
    const double across = x < 0.0 ? -x : x;
    const bool steep = y > across;
    const double small = steep ? across : y, large = steep ? y : across;
    if (!(small <= __DBL_MAX__ && large <= __DBL_MAX__)) return __builtin_nan("");
    if (large == 0.0) return 0.0;
    const int k = static_cast<int>(small / large * 8.0 + 0.5);
    const double c = k * 0.125;
    const double u = (small - c * large) / (large + c * small), uu = u * u;
    double series = 1.0 / 13.0;
    series = series * -uu + 1.0 / 11.0;
    series = series * -uu + 1.0 / 9.0;
    series = series * -uu + 1.0 / 7.0;
    series = series * -uu + 1.0 / 5.0;
    series = series * -uu + 1.0 / 3.0;
    double angle = kArcTangent[k] + (u - u * uu * series);
    if (steep) angle = 0.5 * kPi - angle;
    return x < 0.0 ? kPi - angle : angle;
}

static void corner_tilts(const double* corners, size_t n, double* vectors) {
    for (size_t i = 0; i < n; ++i) {
        const double* c = corners + 8 * i;  // x and y of TL, TR, BL, BR
        vectors[2 * i] = 0.5 * (c[2] + c[6]) - 0.5 * (c[0] + c[4]);
        vectors[2 * i + 1] = 0.5 * (c[3] + c[7]) - 0.5 * (c[1] + c[5]);
    }
}

static void angles_between(const double* vectors, size_t n, double* degrees) {
    for (size_t i = 0; i < n; ++i) {
        const double ax = vectors[2 * i], ay = vectors[2 * i + 1];
        for (size_t j = 0; j < n; ++j) {
            const double bx = vectors[2 * j], by = vectors[2 * j + 1];
            const double cross = ax * by - ay * bx, dot = ax * bx + ay * by;
            degrees[i * n + j] = arc_tangent(cross < 0.0 ? -cross : cross, dot) * kDegreesPerRadian;
        }
    }
}

}  // namespace
}  // namespace spinert

namespace spinert::angles {
namespace {

constexpr Kernels kTable = {corner_tilts, angles_between};

}  // namespace
}  // namespace spinert::angles
