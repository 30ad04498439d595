// Polynomials, smoothing by heat, slopes.
#include "../cpu/curves.h"

#include <nanobind/stl/optional.h>

#include "apart.h"
#include "groups.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Values = Array<const double, 1>;
using Intervals = Points<double>;
using Terms = nb::ndarray<double, nb::shape<-1, -1, 3>, nb::c_contig, nb::device::cpu>;
using FittedTerms = nb::ndarray<const double, nb::shape<-1, -1, 3>, nb::c_contig, nb::device::cpu>;

int degree_of(size_t terms) {
    require(1 <= terms && terms <= spinert::kMostDegree + 1, "degree is not 0..9");
    return static_cast<int>(terms) - 1;
}

void fit_polynomial(Values x, Values y, std::optional<Values> weights, Offsets offsets, Intervals interval, Terms terms,
                    Array<int32_t, 1> degrees, int threads) {
    const size_t n = x.shape(0);
    require(y.shape(0) == n && (!weights || weights->shape(0) == n), "x, y and weights have not the same n");
    const spinert::Groups groups = groups_of(offsets, n);
    require(interval.shape(0) == groups.count && terms.shape(0) == groups.count && degrees.shape(0) == groups.count,
            "outputs have another number of curves than offsets");
    const int degree = degree_of(terms.shape(1));
    require_apart("interval shares memory with another array", interval, x, y, terms, degrees);
    require_apart("terms share memory with another array", terms, x, y, degrees);
    require_apart("degrees share memory with x or y", degrees, x, y);
    if (weights) require_apart("an output shares memory with weights", *weights, interval, terms, degrees);
    require_apart_from_offsets(offsets, interval, terms, degrees);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::fit_polynomial({x.data(), y.data(), weights ? weights->data() : nullptr, n}, groups, degree,
                            {interval.data(), terms.data(), degrees.data()}, threads);
}

void evaluate_polynomial(Points<const double> interval, FittedTerms terms, Values x, Offsets offsets,
                         std::optional<Points<const double>> ends, Array<double, 1> y, Array<double, 1> slopes,
                         int threads) {
    const size_t n = x.shape(0);
    const spinert::Groups groups = groups_of(offsets, n);
    require(interval.shape(0) == groups.count && terms.shape(0) == groups.count &&
                (!ends || ends->shape(0) == groups.count),
            "curves are not as many as offsets say");
    const int degree = degree_of(terms.shape(1));
    require(y.shape(0) == n && slopes.shape(0) == n, "outputs have another n than x");
    require_apart("y shares memory with another array", y, interval, terms, x, slopes);
    require_apart("slopes share memory with another array", slopes, interval, terms, x);
    if (ends) require_apart("an output shares memory with ends", *ends, y, slopes);
    require_apart_from_offsets(offsets, y, slopes);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::evaluate_polynomial({interval.data(), terms.data(), ends ? ends->data() : nullptr, degree, x.data(),
                                  y.data(), slopes.data()},
                                 groups, threads);
}

void smooth_heat(Values values, Offsets offsets, double coefficient, int64_t steps, bool free_ends,
                 Array<double, 1> smoothed, int threads) {
    const size_t n = values.shape(0);
    const spinert::Groups groups = groups_of(offsets, n);
    require(0.0 <= coefficient && coefficient <= 0.5, "coefficient is not 0..0.5");
    require(steps >= 0, "steps is below 0");
    require(smoothed.shape(0) == n, "smoothed has another n than values");
    require_apart("smoothed shares memory with values", smoothed, values);
    require_apart_from_offsets(offsets, smoothed);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::smooth_heat(values.data(), groups, {coefficient, steps, free_ends}, smoothed.data(), threads);
}

void even_slopes(Values values, Offsets offsets, Array<double, 2> slopes, int threads) {
    const spinert::Groups groups = groups_of(offsets, values.shape(0));
    require(slopes.shape(0) == groups.count, "slopes has another number of curves than offsets");
    require(2 <= slopes.shape(1) && slopes.shape(1) < INT_MAX, "points are not 2 or more");
    require_apart("slopes share memory with values", slopes, values);
    require_apart_from_offsets(offsets, slopes);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::even_slopes(values.data(), groups, static_cast<int64_t>(slopes.shape(1)), slopes.data());
}

}  // namespace

void bind_curves(nb::module_& m) {
    m.def("fit_polynomial", &fit_polynomial, "x"_a.noconvert(), "y"_a.noconvert(), "weights"_a.noconvert().none(),
          "offsets"_a.noconvert().none(), "interval"_a.noconvert(), "terms"_a.noconvert(), "degrees"_a.noconvert(),
          "threads"_a);
    m.def("evaluate_polynomial", &evaluate_polynomial, "interval"_a.noconvert(), "terms"_a.noconvert(),
          "x"_a.noconvert(), "offsets"_a.noconvert().none(), "ends"_a.noconvert().none(), "y"_a.noconvert(),
          "slopes"_a.noconvert(), "threads"_a);
    m.def("smooth_heat", &smooth_heat, "values"_a.noconvert(), "offsets"_a.noconvert().none(), "coefficient"_a,
          "steps"_a, "free_ends"_a, "smoothed"_a.noconvert(), "threads"_a);
    m.def("even_slopes", &even_slopes, "values"_a.noconvert(), "offsets"_a.noconvert().none(), "slopes"_a.noconvert(),
          "threads"_a);
}
