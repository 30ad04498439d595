// Polynomials that are orthogonal over given points: p[0] = 1, p[1] = t - shift[0],
// p[k + 1] = (t - shift[k]) p[k] - ratio[k] p[k - 1] (G. E. Forsythe, J. SIAM 5, 1957).
#pragma once

#include "elementary.h"

namespace spinert {

constexpr int kMostDegree = 9;

// A polynomial as small as this at all points is 0 but for rounding: the points do not determine its coefficient.
constexpr double kVanishing = 1e-12;

struct Basis {
    double middle, scale;  // t = (x - middle) * scale
    double coefficient[kMostDegree + 1], shift[kMostDegree + 1], ratio[kMostDegree + 1];
    double heaviest, norm;  // <p, p> of the first and of the last p
    int terms;
};

// For points from `low` to `high`; t is -1..1, and 0 for points of one place.
SPINERT_BOTH Basis basis_between(double low, double high) {
    Basis basis = {};
    const double half = 0.5 * high - 0.5 * low;
    basis.middle = 0.5 * low + 0.5 * high;
    basis.scale = half > 1e-300 ? 1.0 / half : 0.0;
    return basis;
}

template <class Number>
struct Projected {
    Number p, rest;  // the polynomial that comes next, and what those before leave of y
};
template <class Number>
SPINERT_BOTH Projected<Number> project(const Basis& basis, Number t, Number y) {
    Number before = like(0.0, t), p = like(1.0, t), rest = y;
    for (int k = 0; k < basis.terms; ++k) {
        rest = rest - like(basis.coefficient[k], t) * p;
        const Number next = (t - like(basis.shift[k], t)) * p - like(basis.ratio[k], t) * before;
        before = p;
        p = next;
    }
    return {p, rest};
}

// One more term from the sums <p, p>, <t p, p> and <rest, p> over the points; false where it vanishes.
SPINERT_BOTH bool add_term(Basis& basis, double norm, double shifted, double product) {
    const int k = basis.terms;
    if (k == 0) basis.heaviest = norm;
    if (!(norm > basis.heaviest * (kVanishing * kVanishing))) return false;
    basis.coefficient[k] = product / norm;
    basis.shift[k] = shifted / norm;
    basis.ratio[k] = k == 0 ? 0.0 : norm / basis.norm;
    basis.norm = norm;
    basis.terms = k + 1;
    return true;
}

// Into interval [2], terms [degree + 1, 3] and the degree that was found; nan where there is no term.
SPINERT_BOTH void write_basis(const Basis& basis, int degree, double* interval, double* terms, int32_t* found) {
    const double nan = not_a_number();
    const bool none = basis.terms == 0;
    interval[0] = none ? nan : basis.middle;
    interval[1] = none ? nan : basis.scale;
    for (int k = 0; k <= degree; ++k) {
        terms[3 * k] = none ? nan : basis.coefficient[k];
        terms[3 * k + 1] = none ? nan : basis.shift[k];
        terms[3 * k + 2] = none ? nan : basis.ratio[k];
    }
    *found = basis.terms - 1;
}

template <class Number>
struct ValueAndSlope {
    Number value, slope;
};
template <class Number>
SPINERT_BOTH ValueAndSlope<Number> polynomial_at(const double* interval, const double* terms, int degree, Number x) {
    const Number t = (x - like(interval[0], x)) * like(interval[1], x);
    Number before = like(0.0, x), p = like(1.0, x), slope_before = like(0.0, x), slope = like(0.0, x);
    Number value_sum = like(0.0, x), slope_sum = like(0.0, x);
    for (int k = 0; k <= degree; ++k) {
        const Number coefficient = like(terms[3 * k], x), ratio = like(terms[3 * k + 2], x);
        const Number shifted = t - like(terms[3 * k + 1], x);
        value_sum = value_sum + coefficient * p;
        slope_sum = slope_sum + coefficient * slope;
        const Number next_slope = (p + shifted * slope) - ratio * slope_before;
        const Number next = shifted * p - ratio * before;
        slope_before = slope;
        slope = next_slope;
        before = p;
        p = next;
    }
    return {value_sum, slope_sum * like(interval[1], x)};
}

}  // namespace spinert
