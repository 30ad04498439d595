// Curves on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include "../math/polynomial.h"
#include "groups.h"
#include "stream.h"

namespace spinert::cuda {

struct WeightedPoints {
    const double *x, *y, *weights;  // [n]; weights may be nullptr
};
struct Polynomials {
    double *interval, *terms;
    int32_t* degrees;
};
void fit_polynomial(const WeightedPoints& points, const Groups& groups, int degree, const Polynomials& fitted,
                    const Stream& stream);

struct PolynomialValues {
    const double *interval, *terms, *ends;  // ends may be nullptr
    int degree;
    const double* x;
    double *y, *slopes;
};
void evaluate_polynomial(const PolynomialValues& values, const Groups& groups, const Stream& stream);

struct Heat {
    double coefficient;
    int64_t steps;
    bool free_ends;
};
// Needs scratch for a double of each value and an int of each group.
void smooth_heat(const double* values, const Groups& groups, const Heat& heat, double* smoothed, Stream& stream);

void even_slopes(const double* values, const Groups& groups, int64_t points, double* slopes, const Stream& stream);

}  // namespace spinert::cuda
