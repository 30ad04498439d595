// Many Euler steps of the heat equation at once (math/heat.h): one thread for each mode, then one for each sample. The
// recurrences are those of the CPU, step by step, so that the bits are too.
#pragma once

#include "../math/heat.h"

#include "block.cuh"
#include "curves.h"
#include "groups.cuh"

namespace spinert::cuda {
namespace {

constexpr int kHeatThreads = 128;
constexpr int kDone = -1;  // instead of the highest mode: the result is there

struct Smoothing {
    const double* values;
    Groups groups;
    Heat heat;
    double *modes, *smoothed;  // [values]; `smoothed` holds what is left over the line between the ends at first
    int* highest;              // [groups] mode that is not 0
};

// A value's curve, its place in it, and whether there is something to do.
struct Place {
    size_t group, first;
    int64_t n, i;
    bool open;
};
__device__ Place place_of(const Smoothing& work, size_t value) {
    const size_t g = group_of(work.groups, value);
    const Group group = group_at(work.groups, g);
    const bool within = group.first <= value && value - group.first < group.size;
    return {g, group.first, static_cast<int64_t>(group.size), static_cast<int64_t>(value - group.first),
            within && work.highest[g] != kDone};
}

__global__ void __launch_bounds__(kHeatThreads) straighten(Smoothing work) {
    const Group group = group_at(work.groups, blockIdx.x);
    const double* const values = work.values + group.first;
    double doubt = 0.0;
    for (size_t i = threadIdx.x; i < group.size; i += kHeatThreads) doubt += values[i] - values[i];
    const bool bad = __syncthreads_or(doubt != 0.0), done = bad || group.size < 2;
    HeatedCurve curve = {};
    if (!done) curve = heated_curve(values, static_cast<int64_t>(group.size), work.heat.free_ends);
    for (size_t i = threadIdx.x; i < group.size; i += kHeatThreads) {
        const double line = done ? 0.0 : between_ends(curve, static_cast<int64_t>(i));
        work.smoothed[group.first + i] = bad ? not_a_number() : values[i] - line;
    }
    if (threadIdx.x == 0) work.highest[blockIdx.x] = done ? kDone : 0;
}

struct Recurrence {
    double y, d;

    __device__ void take(double value, double delta) {
        d = (value + d) + delta * y;
        y = d + y;
    }
};

__global__ void __launch_bounds__(kHeatThreads) analyse(Smoothing work) {
    for_each_of_grid(work.groups.values, [&](size_t value) {
        const Place at = place_of(work, value);
        if (!at.open) return;
        const bool free_ends = work.heat.free_ends;
        const HeatedCurve curve = heated_curve(work.values + at.first, at.n, free_ends);
        const int64_t mode = at.i;
        double& result = work.modes[value];
        result = 0.0;
        if (mode < curve.first_mode || mode >= curve.length) return;
        const bool far = 2 * mode > curve.length;
        const int64_t quarters = 2 * (far ? curve.length - mode : mode);
        const double half_sine = sine_of_quarters(quarters, curve.length);
        const double half_cosine = cosine_of_quarters(quarters, curve.length);
        const double s = far ? half_cosine : half_sine;
        const double factor = decay(4.0 * work.heat.coefficient * (s * s), work.heat.steps);
        if (factor == 0.0) return;

        const double* const samples = work.smoothed + at.first + curve.first_sample;
        const double delta = -4.0 * (half_sine * half_sine);
        Recurrence sum = {0.0, 0.0};
        for (int64_t i = curve.samples - 1; i >= 0; --i) {
            const double sample = samples[i];
            sum.take(far && i % 2 != 0 ? -sample : sample, delta);
        }
        const double share = (mode == 0 ? 1.0 : 2.0) / static_cast<double>(curve.length);
        result = share * factor * mode_of(sum.y, sum.d, half_sine, half_cosine, free_ends, far);
        if (result != 0.0) atomicMax(work.highest + at.group, static_cast<int>(mode));
    });
}

__global__ void __launch_bounds__(kHeatThreads) synthesise(Smoothing work) {
    for_each_of_grid(work.groups.values, [&](size_t value) {
        const Place at = place_of(work, value);
        if (!at.open) return;
        const bool free_ends = work.heat.free_ends;
        const HeatedCurve curve = heated_curve(work.values + at.first, at.n, free_ends);
        if (at.i < curve.first_sample || at.i >= curve.first_sample + curve.samples) {
            work.smoothed[value] = work.values[value];
            return;
        }
        const int64_t mirrored = (free_ends ? curve.length - 1 : curve.length) - at.i;
        const bool far = mirrored <= at.i;
        const int64_t quarters = 2 * (far ? mirrored : at.i) + (free_ends ? 1 : 0);
        const double half_sine = sine_of_quarters(quarters, curve.length);
        const double half_cosine = cosine_of_quarters(quarters, curve.length);

        const double* const modes = work.modes + at.first;
        const double delta = -4.0 * (half_sine * half_sine);
        Recurrence sum = {0.0, 0.0};
        for (int64_t k = work.highest[at.group]; k > 0; --k) {
            const double mode = modes[k];
            sum.take(far && (k % 2 != 0) == free_ends ? -mode : mode, delta);
        }
        const double rest = sample_of(sum.y, sum.d, half_sine, half_cosine, modes[0], free_ends);
        work.smoothed[value] = between_ends(curve, at.i) + rest;
    });
}

}  // namespace
}  // namespace spinert::cuda
