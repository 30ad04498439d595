// Polynomials, smoothing by heat and slopes, on the device.
#include "../cuda/curves.h"
#include "cuda_groups.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

int degree_of(size_t terms, size_t parts) {
    require(1 <= terms && terms <= kMostDegree + 1, "degree is not 0..9");
    require(parts == 3, "terms are not [curves, degree + 1, 3]");
    return static_cast<int>(terms) - 1;
}

void fit_polynomial(const DeviceArray& x, const DeviceArray& y, const DeviceArray* weights, const DeviceArray* offsets,
                    const DeviceArray& interval, const DeviceArray& terms, const DeviceArray& degrees,
                    Stream& stream) {
    Work work(stream);
    const auto at = work.input<double, 1>(x, "x"), value = work.input<double, 1>(y, "y");
    const size_t n = at.shape(0);
    const double* weight = nullptr;
    require(value.shape(0) == n, "x and y have not the same n");
    if (weights != nullptr) {
        const auto given = work.input<double, 1>(*weights, "weights");
        require(given.shape(0) == n, "x and weights have not the same n");
        weight = given.data;
    }
    const cuda::Groups groups = groups_of(work, offsets, n);
    const auto intervals = work.output<double, 2>(interval, "interval");
    const auto all_terms = work.output<double, 3>(terms, "terms");
    const auto found = work.output<int32_t, 1>(degrees, "degrees");
    require(intervals.shape(0) == groups.count && all_terms.shape(0) == groups.count &&
                found.shape(0) == groups.count && intervals.shape(1) == 2,
            "outputs have another number of curves than offsets");
    const int degree = degree_of(all_terms.shape(1), all_terms.shape(2));
    work.run([&] {
        cuda::fit_polynomial({at.data, value.data, weight}, groups, degree,
                             {intervals.data, all_terms.data, found.data}, stream);
    });
}

void evaluate_polynomial(const DeviceArray& interval, const DeviceArray& terms, const DeviceArray& x,
                         const DeviceArray* offsets, const DeviceArray* ends, const DeviceArray& y,
                         const DeviceArray& slopes, Stream& stream) {
    Work work(stream);
    const auto intervals = work.input<double, 2>(interval, "interval");
    const auto all_terms = work.input<double, 3>(terms, "terms");
    const auto at = work.input<double, 1>(x, "x");
    const size_t n = at.shape(0);
    const cuda::Groups groups = groups_of(work, offsets, n);
    require(intervals.shape(0) == groups.count && intervals.shape(1) == 2 && all_terms.shape(0) == groups.count,
            "curves are not as many as offsets say");
    const double* end = nullptr;
    if (ends != nullptr) {
        const auto given = work.input<double, 2>(*ends, "ends");
        require(given.shape(0) == groups.count && given.shape(1) == 2, "ends are not [curves, 2]");
        end = given.data;
    }
    const int degree = degree_of(all_terms.shape(1), all_terms.shape(2));
    const auto values = work.output<double, 1>(y, "y"), slope = work.output<double, 1>(slopes, "slopes");
    require(values.shape(0) == n && slope.shape(0) == n, "outputs have another n than x");
    work.run([&] {
        cuda::evaluate_polynomial({intervals.data, all_terms.data, end, degree, at.data, values.data, slope.data},
                                  groups, stream);
    });
}

void smooth_heat(const DeviceArray& values, const DeviceArray* offsets, double coefficient, int64_t steps,
                 bool free_ends, const DeviceArray& smoothed, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 1>(values, "values");
    const cuda::Groups groups = groups_of(work, offsets, in.shape(0));
    require(0.0 <= coefficient && coefficient <= 0.5, "coefficient is not 0..0.5");
    require(steps >= 0, "steps is below 0");
    const auto out = work.output<double, 1>(smoothed, "smoothed");
    require(out.shape(0) == in.shape(0), "smoothed has another n than values");
    work.run([&] { cuda::smooth_heat(in.data, groups, {coefficient, steps, free_ends}, out.data, stream); });
}

void even_slopes(const DeviceArray& values, const DeviceArray* offsets, const DeviceArray& slopes, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 1>(values, "values");
    const cuda::Groups groups = groups_of(work, offsets, in.shape(0));
    const auto out = work.output<double, 2>(slopes, "slopes");
    require(out.shape(0) == groups.count, "slopes has another number of curves than offsets");
    require(2 <= out.shape(1) && out.shape(1) < INT_MAX, "points are not 2 or more");
    work.run([&] { cuda::even_slopes(in.data, groups, static_cast<int64_t>(out.shape(1)), out.data, stream); });
}

}  // namespace

void bind_cuda_curves(nb::module_& m) {
    m.def("fit_polynomial", &fit_polynomial, "x"_a, "y"_a, "weights"_a.none(), "offsets"_a.none(), "interval"_a,
          "terms"_a, "degrees"_a, "stream"_a);
    m.def("evaluate_polynomial", &evaluate_polynomial, "interval"_a, "terms"_a, "x"_a, "offsets"_a.none(),
          "ends"_a.none(), "y"_a, "slopes"_a, "stream"_a);
    m.def("smooth_heat", &smooth_heat, "values"_a, "offsets"_a.none(), "coefficient"_a, "steps"_a, "free_ends"_a,
          "smoothed"_a, "stream"_a);
    m.def("even_slopes", &even_slopes, "values"_a, "offsets"_a.none(), "slopes"_a, "stream"_a);
}
