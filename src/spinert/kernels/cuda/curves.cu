// Polynomials of least squares, one block for each curve; their values, and slopes, one thread for each; heat.
#include "curves.h"

#include "../math/slope.h"
#include "block.cuh"
#include "groups.cuh"
#include "heat.cuh"
#include "launch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 128;
constexpr double kLargest = 1.7976931348623157e308;

struct Lower {
    __device__ double operator()(double a, double b) const { return b < a ? b : a; }
};

// A thread's share of the points of a curve, which are dealt out one by one.
struct Share {
    const double *x, *y, *weights;
    size_t n;

    __device__ double weight(size_t i) const { return weights == nullptr ? 1.0 : weights[i]; }
};

struct Range {
    double low, high;
    bool valid;  // false where there is no point, a weight is below 0, or a value not finite
};

__device__ Range range_of(const Share& points, double* scratch) {
    double low = kLargest, negative_high = kLargest;
    bool bad = false;
    for (size_t i = threadIdx.x; i < points.n; i += kThreads) {
        const double weight = points.weight(i), x = points.x[i];
        if (weight == 0.0) continue;
        low = x < low ? x : low;
        negative_high = -x < negative_high ? -x : negative_high;
        bad = bad || weight < 0.0 || (x - x) + (points.y[i] - points.y[i]) + (weight - weight) != 0.0;
    }
    low = reduce_block(low, kLargest, Lower(), scratch);
    negative_high = reduce_block(negative_high, kLargest, Lower(), scratch);
    const bool valid = !__syncthreads_or(bad);
    return {low, -negative_high, valid && low <= -negative_high};
}

// Every thread has the same basis in the end, and returns the same.
__device__ bool find_term(const Share& points, Basis& basis, double* scratch) {
    double norm = 0.0, shifted = 0.0, product = 0.0;
    for (size_t i = threadIdx.x; i < points.n; i += kThreads) {
        const double weight = points.weight(i);
        if (!(weight > 0.0)) continue;
        const double t = (points.x[i] - basis.middle) * basis.scale;
        const Projected<double> projected = project(basis, t, points.y[i]);
        const double weighted = weight * projected.p;
        norm += weighted * projected.p;
        shifted += t * projected.p * weighted;
        product += projected.rest * weighted;
    }
    norm = sum_of_block(norm, scratch);
    shifted = sum_of_block(shifted, scratch);
    product = sum_of_block(product, scratch);
    return add_term(basis, norm, shifted, product);
}

__global__ void __launch_bounds__(kThreads)
fit_curve(WeightedPoints points, Groups groups, int degree, Polynomials fitted) {
    __shared__ double scratch[kWarpsAtMost];
    const size_t g = blockIdx.x;
    const Group group = group_at(groups, g);
    const Share own = {points.x + group.first, points.y + group.first,
                       points.weights == nullptr ? nullptr : points.weights + group.first, group.size};
    const Range range = range_of(own, scratch);
    Basis basis = basis_between(range.low, range.high);
    if (range.valid) {
        while (basis.terms <= degree && find_term(own, basis, scratch)) {
        }
    }
    if (threadIdx.x != 0) return;
    write_basis(basis, degree, fitted.interval + 2 * g, fitted.terms + 3 * (static_cast<size_t>(degree) + 1) * g,
                fitted.degrees + g);
}

__global__ void __launch_bounds__(kThreads) evaluate_points(PolynomialValues values, Groups groups) {
    for_each_of_grid(groups.values, [&](size_t i) {
        const size_t g = group_of(groups, i);
        const double x = values.x[i];
        const double low = values.ends == nullptr ? -kLargest : values.ends[2 * g];
        const double high = values.ends == nullptr ? kLargest : values.ends[2 * g + 1];
        const double within = x > high ? high : x < low ? low : x;
        const double* const terms = values.terms + 3 * (static_cast<size_t>(values.degree) + 1) * g;
        const ValueAndSlope<double> at = polynomial_at(values.interval + 2 * g, terms, values.degree, within);
        const double slope = at.slope + (x - x);  // nan for an x that is not finite
        values.slopes[i] = slope;
        values.y[i] = at.value + slope * (x - within);
    });
}

__global__ void __launch_bounds__(kThreads)
slopes_of_curves(const double* values, Groups groups, int64_t points, double* slopes) {
    for_each_of_grid(groups.count * static_cast<size_t>(points), [&](size_t i) {
        const Group group = group_at(groups, i / static_cast<size_t>(points));
        slopes[i] = slope_of_point(values + group.first, static_cast<int64_t>(group.size), points,
                                   static_cast<int64_t>(i % static_cast<size_t>(points)));
    });
}

}  // namespace

void fit_polynomial(const WeightedPoints& points, const Groups& groups, int degree, const Polynomials& fitted,
                    const Stream& stream) {
    launch("fit_polynomial", {groups.count, groups.values}, fit_curve,
           {dim3(static_cast<unsigned>(groups.count)), dim3(kThreads)}, stream, points, groups, degree, fitted);
}

void evaluate_polynomial(const PolynomialValues& values, const Groups& groups, const Stream& stream) {
    launch("evaluate_polynomial", {groups.count, groups.values}, evaluate_points,
           {dim3(blocks_for(groups.values, kThreads)), dim3(kThreads)}, stream, values, groups);
}

void smooth_heat(const double* values, const Groups& groups, const Heat& heat, double* smoothed, Stream& stream) {
    const size_t modes = groups.values * sizeof(double);
    char* const scratch = static_cast<char*>(stream.scratch(modes + groups.count * sizeof(int)));
    const Smoothing work = {values, groups, heat, reinterpret_cast<double*>(scratch), smoothed,
                            reinterpret_cast<int*>(scratch + modes)};
    const Grid each = {dim3(blocks_for(groups.values, kHeatThreads)), dim3(kHeatThreads)};
    launch("smooth_heat, ends", {groups.count, groups.values}, straighten,
           {dim3(static_cast<unsigned>(groups.count)), dim3(kHeatThreads)}, stream, work);
    launch("smooth_heat, modes", {groups.count, groups.values}, analyse, each, stream, work);
    launch("smooth_heat, samples", {groups.count, groups.values}, synthesise, each, stream, work);
}

void even_slopes(const double* values, const Groups& groups, int64_t points, double* slopes, const Stream& stream) {
    launch("even_slopes", {groups.count, points}, slopes_of_curves,
           {dim3(blocks_for(groups.count * static_cast<size_t>(points), kThreads)), dim3(kThreads)}, stream, values,
           groups, points, slopes);
}

}  // namespace spinert::cuda
