// Weighted least squares in polynomials that are orthogonal over the points themselves (G. E. Forsythe, Generation and
// use of orthogonal polynomials for data-fitting with a digital computer, J. SIAM 5, 1957): no matrix, no powers of x,
// and each coefficient is found from what the lower ones left over. Nothing is kept for a point: p[k] is found anew in
// each pass, which for the degrees here costs less than memory.

namespace spinert {
namespace {

// A polynomial as small as this at all points is 0 but for rounding: the points do not determine its coefficient.
constexpr double kVanishing = 1e-12;

struct Basis {
    double middle, scale;
    double coefficient[kMostDegree + 1], shift[kMostDegree + 1], ratio[kMostDegree + 1];
};

struct PointLanes {
    Doubles t, y, weight;
};

// Eight points, or the last ones and none.
SPINERT_INLINE PointLanes points_at(const WeightedPoints& points, size_t i, const Basis& basis) {
    Doubles x, y, weight;
    if (i + kDoubles <= points.n) {
        x = load(points.x + i);
        y = load(points.y + i);
        weight = points.weights ? load(points.weights + i) : all(1.0);
    } else {
        const int rest = static_cast<int>(points.n - i);
        double one[kDoubles] = {};
        for (int lane = 0; lane < rest; ++lane) one[lane] = points.weights ? points.weights[i + lane] : 1.0;
        x = load_part(points.x + i, rest, 0.0);
        y = load_part(points.y + i, rest, 0.0);
        weight = load(one);
    }
    const Doubles counts = weight > all(0.0);
    return {where(counts, x - all(basis.middle)) * all(basis.scale), where(counts, y), weight};
}

struct Moments {
    double norm, shifted, product;  // <p, p>, <t p, p> and <rest, p>
};

// Of p[k], and of what the terms below k leave of y.
SPINERT_INLINE Moments moments_of(const WeightedPoints& points, const Basis& basis, int k) {
    const Doubles zero = all(0.0);
    Doubles norm = zero, shifted = zero, product = zero;
    for (size_t i = 0; i < points.n; i += kDoubles) {
        const PointLanes point = points_at(points, i, basis);
        Doubles before = zero, p = all(1.0), rest = point.y;
        for (int j = 0; j < k; ++j) {
            rest = rest - all(basis.coefficient[j]) * p;
            const Doubles next = (point.t - all(basis.shift[j])) * p - all(basis.ratio[j]) * before;
            before = p;
            p = next;
        }
        const Doubles weighted = point.weight * p;
        norm = norm + weighted * p;
        shifted = shifted + point.t * p * weighted;
        product = product + rest * weighted;
    }
    return {total(norm), total(shifted), total(product)};
}

// Middle and scale from the points that count; false where there is none, a weight is below 0, or a value not finite.
SPINERT_INLINE bool place_on(const WeightedPoints& points, Basis& basis) {
    double low = __DBL_MAX__, high = -__DBL_MAX__, doubt = 0.0;
    for (size_t i = 0; i < points.n; ++i) {
        const double weight = points.weights ? points.weights[i] : 1.0;
        if (weight == 0.0) continue;
        const double x = points.x[i];
        low = x < low ? x : low;
        high = x > high ? x : high;
        doubt += (x - x) + (points.y[i] - points.y[i]) + (weight - weight);
        if (weight < 0.0) return false;
    }
    if (!(low <= high) || doubt != 0.0) return false;
    const double half = 0.5 * high - 0.5 * low;
    basis.middle = 0.5 * low + 0.5 * high;
    basis.scale = half > 1e-300 ? 1.0 / half : 0.0;
    return true;
}

static void fit(WeightedPoints points, int degree, Polynomials fitted) {
    Basis basis = {};
    const double nan = __builtin_nan("");
    int terms = 0;
    double heaviest = 0.0, before = 1.0;
    for (bool valid = place_on(points, basis); valid && terms <= degree; ++terms) {
        const Moments moments = moments_of(points, basis, terms);
        if (terms == 0) heaviest = moments.norm;
        if (!(moments.norm > heaviest * (kVanishing * kVanishing))) break;
        basis.coefficient[terms] = moments.product / moments.norm;
        basis.shift[terms] = moments.shifted / moments.norm;
        basis.ratio[terms] = moments.norm / before;
        before = moments.norm;
    }
    fitted.interval[0] = terms > 0 ? basis.middle : nan;
    fitted.interval[1] = terms > 0 ? basis.scale : nan;
    for (int k = 0; k <= degree; ++k) {
        fitted.terms[3 * k] = terms == 0 ? nan : k < terms ? basis.coefficient[k] : 0.0;
        fitted.terms[3 * k + 1] = terms == 0 ? nan : k < terms ? basis.shift[k] : 0.0;
        fitted.terms[3 * k + 2] = terms == 0 ? nan : k < terms ? basis.ratio[k] : 0.0;
    }
    *fitted.degrees = terms - 1;
}

struct ValueLanes {
    Doubles value, slope;
};

SPINERT_INLINE ValueLanes evaluate_at(const PolynomialValues& curve, Doubles x) {
    const Doubles zero = all(0.0);
    const Doubles t = (x - all(curve.interval[0])) * all(curve.interval[1]);
    Doubles before = zero, p = all(1.0), slope_before = zero, slope = zero;
    ValueLanes sum = {zero, zero};
    for (int k = 0; k <= curve.degree; ++k) {
        const Doubles coefficient = all(curve.terms[3 * k]), ratio = all(curve.terms[3 * k + 2]);
        const Doubles shifted = t - all(curve.terms[3 * k + 1]);
        sum.value = sum.value + coefficient * p;
        sum.slope = sum.slope + coefficient * slope;
        const Doubles next_slope = (p + shifted * slope) - ratio * slope_before;
        const Doubles next = shifted * p - ratio * before;
        slope_before = slope;
        slope = next_slope;
        before = p;
        p = next;
    }
    return {sum.value, sum.slope * all(curve.interval[1])};
}

static void evaluate(PolynomialValues curve, size_t n) {
    const Doubles low = all(curve.ends ? curve.ends[0] : -__DBL_MAX__);
    const Doubles high = all(curve.ends ? curve.ends[1] : __DBL_MAX__);
    for (size_t i = 0; i < n; i += kDoubles) {
        const size_t rest = n - i;
        const Doubles x = rest >= kDoubles ? load(curve.x + i) : load_part(curve.x + i, static_cast<int>(rest), 0.0);
        const Doubles within = choose(x > high, high, choose(x < low, low, x));
        ValueLanes at = evaluate_at(curve, within);
        const Doubles doubt = x - x;  // 0, or nan for an x that is not finite
        at.slope = at.slope + doubt;
        at.value = at.value + at.slope * (x - within);
        if (rest >= kDoubles) {
            store(at.value, curve.y + i);
            store(at.slope, curve.slopes + i);
        } else {
            store_part(at.value, rest, curve.y + i);
            store_part(at.slope, rest, curve.slopes + i);
        }
    }
}

}  // namespace
}  // namespace spinert
