// Curves: polynomials of least squares, smoothing by heat, slopes.
#pragma once

#include "../math/polynomial.h"
#include "groups.h"
#include "isa.h"

namespace spinert {

// Polynomials, each in an orthogonal basis of its own (math/polynomial.h): the sum of coefficient[k] p[k].
// interval [curves, 2] is middle and scale, terms [curves, degree + 1, 3] coefficient, shift and ratio; degrees [curves]
// is the highest degree that the points of a curve determine, -1 for none: all of it is nan then.
struct Polynomials {
    double *interval, *terms;
    int32_t* degrees;
};
// x, y and weights [n]; without weights they are 1. A point of weight 0 is none, whatever its x and y.
struct WeightedPoints {
    const double *x, *y, *weights;
    size_t n;
};
void fit_polynomial(WeightedPoints points, Groups groups, int degree, Polynomials fitted, int threads);

// ends [curves, 2], low and high: beyond them a curve goes on along its tangent; nullptr: nowhere.
struct PolynomialValues {
    const double *interval, *terms, *ends;
    int degree;
    const double* x;
    double *y, *slopes;
};
void evaluate_polynomial(PolynomialValues values, Groups groups, int threads);

// `steps` explicit Euler steps of u[i] += coefficient * (u[i - 1] - 2 u[i] + u[i + 1]), 0 <= coefficient <= 1/2.
// Fixed ends stay; free ones have a neighbour beyond that is always their equal.
struct Heat {
    double coefficient;
    int64_t steps;
    bool free_ends;
};
void smooth_heat(const double* curves, Groups groups, Heat heat, double* smoothed, int threads);

// Slopes [groups, points] at even points from the first sample of each curve to its last; points >= 2.
void even_slopes(const double* curves, Groups groups, int64_t points, double* slopes);

namespace curves {

struct Kernels {
    // one curve
    void (*fit)(WeightedPoints points, int degree, Polynomials fitted);
    void (*evaluate)(PolynomialValues values, size_t n);
    void (*smooth)(const double* values, size_t n, Heat heat, double* modes, double* smoothed);  // modes [n + 1]
    void (*slopes)(const double* values, size_t n, int64_t points, double* slopes);
};
SPINERT_TABLES

}  // namespace curves
}  // namespace spinert
