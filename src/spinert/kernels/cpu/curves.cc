// Curves: groups, scratch and threads around the kernels of one ISA.
#include "curves.h"

#include <memory>

#include "parallel.h"

namespace spinert {

void fit_polynomial(WeightedPoints points, Groups groups, int degree, Polynomials fitted, int threads) {
    const curves::Kernels& kernels = curves::active();
    parallel_for(groups.count, threads, [&](size_t, size_t begin, size_t end) {
        for (size_t g = begin; g < end; ++g) {
            const size_t first = first_of(groups, g), terms = 3 * (static_cast<size_t>(degree) + 1);
            const WeightedPoints own = {points.x + first, points.y + first,
                                        points.weights ? points.weights + first : nullptr, size_of(groups, g)};
            kernels.fit(own, degree, {fitted.interval + 2 * g, fitted.terms + terms * g, fitted.degrees + g});
        }
    });
}

void evaluate_polynomial(PolynomialValues values, Groups groups, int threads) {
    const curves::Kernels& kernels = curves::active();
    const size_t terms = 3 * (static_cast<size_t>(values.degree) + 1);
    // parts of as many points each; a curve may be cut, since every point is on its own
    parallel_for(groups.values, threads, [&](size_t, size_t begin, size_t end) {
        for (size_t g = 0; g < groups.count; ++g) {
            const size_t first = std::max(begin, first_of(groups, g)), last = std::min(end, first_of(groups, g + 1));
            if (first >= last) continue;
            PolynomialValues own = values;
            own.interval += 2 * g;
            own.terms += terms * g;
            own.ends = values.ends ? values.ends + 2 * g : nullptr;
            own.x += first;
            own.y += first;
            own.slopes += first;
            kernels.evaluate(own, last - first);
        }
    });
}

void smooth_heat(const double* values, Groups groups, Heat heat, double* smoothed, int threads) {
    const curves::Kernels& kernels = curves::active();
    size_t longest = 0;
    for (size_t g = 0; g < groups.count; ++g) longest = std::max(longest, size_of(groups, g));
    const size_t parts = std::max<size_t>(1, std::min(groups.count, static_cast<size_t>(threads)));
    const std::unique_ptr<double[]> modes(new double[parts * (longest + 1)]);
    parallel_for(groups.count, threads, [&](size_t part, size_t begin, size_t end) {
        for (size_t g = begin; g < end; ++g) {
            const size_t first = first_of(groups, g);
            kernels.smooth(values + first, size_of(groups, g), heat, modes.get() + part * (longest + 1),
                           smoothed + first);
        }
    });
}

void even_slopes(const double* values, Groups groups, int64_t points, double* slopes) {
    const curves::Kernels& kernels = curves::active();
    for (size_t g = 0; g < groups.count; ++g) {
        kernels.slopes(values + first_of(groups, g), size_of(groups, g), points,
                       slopes + g * static_cast<size_t>(points));
    }
}

}  // namespace spinert
