// Weighted least squares without a matrix and without powers of x (math/polynomial.h): each coefficient is found from
// what the lower ones left over. Nothing is kept for a point: its polynomials are found anew in each pass, which for the
// degrees here costs less than memory.

namespace spinert {
namespace {

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
        double weights[kDoubles] = {};
        for (int lane = 0; lane < rest; ++lane) weights[lane] = points.weights ? points.weights[i + lane] : 1.0;
        x = load_part(points.x + i, rest, 0.0);
        y = load_part(points.y + i, rest, 0.0);
        weight = load(weights);
    }
    const Doubles counts = weight > all(0.0);
    return {where(counts, x - all(basis.middle)) * all(basis.scale), where(counts, y), weight};
}

static bool find_term(const WeightedPoints& points, Basis& basis) {
    Doubles norm = all(0.0), shifted = norm, product = norm;
    for (size_t i = 0; i < points.n; i += kDoubles) {
        const PointLanes point = points_at(points, i, basis);
        const Projected<Doubles> projected = project(basis, point.t, point.y);
        const Doubles weighted = point.weight * projected.p;
        norm = norm + weighted * projected.p;
        shifted = shifted + point.t * projected.p * weighted;
        product = product + projected.rest * weighted;
    }
    return add_term(basis, total(norm), total(shifted), total(product));
}

struct Extent {
    double low, high;
    bool valid;  // false where there is no point, a weight is below 0, or a value not finite
};

SPINERT_INLINE Extent extent_of(const WeightedPoints& points) {
    double low = __DBL_MAX__, high = -__DBL_MAX__, doubt = 0.0;
    bool below = false;
    for (size_t i = 0; i < points.n; ++i) {
        const double weight = points.weights ? points.weights[i] : 1.0;
        if (weight == 0.0) continue;
        const double x = points.x[i];
        low = x < low ? x : low;
        high = x > high ? x : high;
        doubt += (x - x) + (points.y[i] - points.y[i]) + (weight - weight);
        below = below || weight < 0.0;
    }
    return {low, high, low <= high && doubt == 0.0 && !below};
}

static void fit(WeightedPoints points, int degree, Polynomials fitted) {
    const Extent extent = extent_of(points);
    Basis basis = basis_between(extent.low, extent.high);
    if (extent.valid) {
        while (basis.terms <= degree && find_term(points, basis)) {
        }
    }
    write_basis(basis, degree, fitted.interval, fitted.terms, fitted.degrees);
}

static void evaluate(PolynomialValues curve, size_t n) {
    const Doubles low = all(curve.ends ? curve.ends[0] : -__DBL_MAX__);
    const Doubles high = all(curve.ends ? curve.ends[1] : __DBL_MAX__);
    for (size_t i = 0; i < n; i += kDoubles) {
        const size_t rest = n - i;
        const Doubles x = rest >= kDoubles ? load(curve.x + i) : load_part(curve.x + i, static_cast<int>(rest), 0.0);
        const Doubles within = select(x > high, high, select(x < low, low, x));
        ValueAndSlope<Doubles> at = polynomial_at(curve.interval, curve.terms, curve.degree, within);
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
