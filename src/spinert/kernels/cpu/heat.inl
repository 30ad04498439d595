// Many Euler steps of the heat equation at once (math/heat.h): into modes, their decay, and back.

namespace spinert {
namespace {

// Recurrences that run side by side, so that one computes while another waits: four registers of them on each ISA.
constexpr int kAtOnce = kRegisterBytes / 16;
constexpr int kAngles = kAtOnce * kDoubles;

struct Recurrences {
    Doubles delta[kAtOnce], y[kAtOnce], d[kAtOnce];

    __attribute__((always_inline)) void begin(const double* half_sines) {
        for (int a = 0; a < kAtOnce; ++a) {
            const Doubles s = load(half_sines + a * kDoubles);
            delta[a] = all(-4.0) * (s * s);
            y[a] = d[a] = all(0.0);
        }
    }
    __attribute__((always_inline)) void take(double value) {
        for (int a = 0; a < kAtOnce; ++a) {
            d[a] = (all(value) + d[a]) + delta[a] * y[a];
            y[a] = d[a] + y[a];
        }
    }
    __attribute__((always_inline)) void end(double* sums, double* differences) const {
        for (int a = 0; a < kAtOnce; ++a) {
            store(y[a], sums + a * kDoubles);
            store(d[a], differences + a * kDoubles);
        }
    }
};

struct Angles {
    double half_sine[kAngles], half_cosine[kAngles];
};

// From `quarters` in steps of two; 0 beyond pi / 2, where nothing is asked for.
SPINERT_INLINE Angles angles_from(int64_t quarters, int64_t length) {
    Angles angles;
    for (int a = 0; a < kAngles; ++a) {
        const int64_t at = quarters + 2 * a <= length ? quarters + 2 * a : 0;
        angles.half_sine[a] = sine_of_quarters(at, length);
        angles.half_cosine[a] = cosine_of_quarters(at, length);
    }
    return angles;
}

// Modes k = first .. last as far as one group of angles goes, or L - k, after all steps. False where none is left.
static bool analyse(const HeatedCurve& curve, const double* samples, int64_t first, int64_t last, bool far, Heat heat,
                    double* modes) {
    const Angles angles = angles_from(2 * first, curve.length);
    const int count = static_cast<int>(last - first < kAngles ? last - first + 1 : kAngles);
    double factors[kAngles];
    bool alive = false;
    for (int a = 0; a < count; ++a) {
        const double s = far ? angles.half_cosine[a] : angles.half_sine[a];
        factors[a] = decay(4.0 * heat.coefficient * (s * s), heat.steps);
        alive = alive || factors[a] != 0.0;
    }
    if (!alive) return false;

    Recurrences sums;
    sums.begin(angles.half_sine);
    for (int64_t i = curve.samples - 1; i >= 0; --i) sums.take(far && i % 2 != 0 ? -samples[i] : samples[i]);
    double y[kAngles], d[kAngles];
    sums.end(y, d);
    for (int a = 0; a < count; ++a) {
        const int64_t k = first + a;
        const double share = (k == 0 ? 1.0 : 2.0) / static_cast<double>(curve.length);
        const double mode = mode_of(y[a], d[a], angles.half_sine[a], angles.half_cosine[a], heat.free_ends, far);
        modes[far ? curve.length - k : k] = share * factors[a] * mode;
    }
    return true;
}

// All modes; returns the highest that is not 0. The near ones fall with k, so do the far ones up to a coefficient of 1/4.
static int64_t analyse_all(const HeatedCurve& curve, const double* samples, Heat heat, double* modes) {
    for (int64_t k = 0; k <= curve.length; ++k) modes[k] = 0.0;
    bool alive = true;
    for (int64_t k = curve.first_mode; alive && k <= curve.length / 2; k += kAngles) {
        alive = analyse(curve, samples, k, curve.length / 2, false, heat, modes);
    }
    if (alive || heat.coefficient > 0.25) {
        const int64_t last = (curve.length - 1) / 2;
        for (int64_t k = 1; k <= last; k += kAngles) analyse(curve, samples, k, last, true, heat, modes);
    }
    int64_t highest = curve.length;
    while (highest > 0 && modes[highest] == 0.0) --highest;
    return highest;
}

// The samples of one half of the curve and their mirror images in the other.
static void synthesise(const HeatedCurve& curve, const double* modes, int64_t highest, bool free_ends,
                       double* smoothed) {
    const int64_t mirror = free_ends ? curve.length - 1 : curve.length;
    for (int64_t first = curve.first_sample; 2 * first <= mirror; first += kAngles) {
        const Angles angles = angles_from(2 * first + (free_ends ? 1 : 0), curve.length);
        Recurrences near, far;
        near.begin(angles.half_sine);
        far.begin(angles.half_sine);
        for (int64_t k = highest; k > 0; --k) {
            near.take(modes[k]);
            far.take((k % 2 != 0) == free_ends ? -modes[k] : modes[k]);
        }
        double y[2][kAngles], d[2][kAngles];
        near.end(y[0], d[0]);
        far.end(y[1], d[1]);
        for (int a = 0; a < kAngles && 2 * (first + a) <= mirror; ++a) {
            for (int half = 0; half < 2; ++half) {
                const int64_t i = half == 0 ? first + a : mirror - (first + a);
                smoothed[i] = between_ends(curve, i) + sample_of(y[half][a], d[half][a], angles.half_sine[a],
                                                                 angles.half_cosine[a], modes[0], free_ends);
            }
        }
    }
}

static void smooth(const double* values, size_t n, Heat heat, double* modes, double* smoothed) {
    double doubt = 0.0;
    for (size_t i = 0; i < n; ++i) doubt += values[i] - values[i];
    if (doubt != 0.0 || n < 2) {
        for (size_t i = 0; i < n; ++i) smoothed[i] = doubt != 0.0 ? __builtin_nan("") : values[i];
        return;
    }
    const HeatedCurve curve = heated_curve(values, static_cast<int64_t>(n), heat.free_ends);
    for (int64_t i = 0; i < static_cast<int64_t>(n); ++i) smoothed[i] = values[i] - between_ends(curve, i);
    const int64_t highest = analyse_all(curve, smoothed + curve.first_sample, heat, modes);
    synthesise(curve, modes, highest, heat.free_ends, smoothed);
    if (!heat.free_ends) {
        smoothed[0] = curve.before;
        smoothed[n - 1] = curve.after;
    }
}

}  // namespace
}  // namespace spinert
