// Heat-maps to points: soft-argmax with confidence, and the highest cell with a parabola step.
#include "../math/parabola.h"
#include "heatmaps.h"

#include "lanes.inl"

namespace spinert {
namespace {

// Rows whose every cell lies this far below the peak are left out of the softmax: a cell there weighs less than
// e**-30 = 1e-13 of the highest, 3e-9 for all 32768 cells of a 256x128 map, under the rounding of a float.
constexpr float kNegligible = 30.0f;

struct Highest {
    int index;  // of the first highest cell
    float value;
    bool finite;  // of the whole map
};

SPINERT_INLINE Floats maximum(Floats a, Floats b) { return select(b > a, b, a); }

// v - v is 0 for a finite value and nan for another; a sum keeps a nan.
struct Scan {
    Floats top, doubt;

    __attribute__((always_inline)) void take(Floats v) {
        top = maximum(top, v);
        doubt = doubt + (v - v);
    }
};

// Chunk by chunk, looking into the lanes only where a chunk holds something higher than all before it.
SPINERT_INLINE Highest highest_cell(const float* map, int cells) {
    constexpr int kChunk = 512;
    const Floats lowest = all(-kInfinity), none = all(0.0f);
    // two scans take turns, so that none waits for the step before it
    Scan a = {lowest, none}, b = {lowest, none};
    Highest best = {0, -kInfinity, true};
    for (int begin = 0; begin < cells; begin += kChunk) {
        const int end = smaller(cells, begin + kChunk);
        a.top = b.top = lowest;
        int i = begin;
        for (; i + 32 <= end; i += 32) {
            a.take(load(map + i));
            b.take(load(map + i + 16));
        }
        // -FLT_MAX in lanes without a cell: finite, and never higher than a cell
        if (i < end) a.take(load_part(map + i, smaller(16, end - i), -__FLT_MAX__));
        if (i + 16 < end) b.take(load_part(map + i + 16, end - i - 16, -__FLT_MAX__));
        const Floats top = maximum(a.top, b.top);
        if (!any(top > all(best.value))) continue;
        float lanes[16];
        store(top, lanes);
        for (float lane : lanes) best.value = lane > best.value ? lane : best.value;
        best.index = begin;
    }
    best.finite = !any(a.doubt != a.doubt) && !any(b.doubt != b.doubt);
    if (best.finite) {
        while (map[best.index] != best.value) ++best.index;
    }
    return best;
}

struct RowLanes {
    Floats top, mass, moment, column;

    __attribute__((always_inline)) void add(Floats v) {
        const Floats e = exp_of_nonpositive(v - top);
        mass = mass + e;
        moment = moment + e * column;
        column = column + all(16.0f);
    }
};

struct Softmax {
    Sums mass, moment_x, moment_y;

    __attribute__((always_inline)) void add_row(const float* row, int width, int y, float top) {
        Floats row_top = all(-kInfinity);
        int x = 0;
        for (; x + 16 <= width; x += 16) row_top = maximum(row_top, load(row + x));
        const int rest = width - x;
        const Floats last = rest > 0 ? load_part(row + x, rest, -kInfinity) : all(-kInfinity);
        row_top = maximum(row_top, last);
        if (!any(row_top - all(top) > all(-kNegligible))) return;

        const float columns[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        RowLanes lanes = {all(top), all(0.0f), all(0.0f), load(columns)};
        for (x = 0; x + 16 <= width; x += 16) lanes.add(load(row + x));
        if (rest > 0) lanes.add(last);
        mass.add(lanes.mass);
        moment_x.add(lanes.moment);
        moment_y.add(lanes.mass, y);
    }
};

// Mass within `radius` cells of the highest one, in x and in y.
SPINERT_INLINE double mass_near(const float* map, int height, int width, int radius, Highest top) {
    const int peak_y = top.index / width, peak_x = top.index % width;
    const int end_y = smaller(height - 1, peak_y + radius), end_x = smaller(width - 1, peak_x + radius);
    Sums mass;
    for (int y = larger(0, peak_y - radius); y <= end_y; ++y) {
        for (int x = larger(0, peak_x - radius); x <= end_x; x += 16) {
            const float* from = map + static_cast<size_t>(y) * width + x;
            const Floats v = load_part(from, smaller(16, end_x - x + 1), -kInfinity);
            mass.add(exp_of_nonpositive(v - all(top.value)));
        }
    }
    return mass.total();
}

static void soft_argmax_maps(Maps maps, int radius, float* xy, float* confidence) {
    const int cells = maps.height * maps.width;
    for (size_t i = 0; i < maps.n; ++i) {
        const float* map = maps.values + i * static_cast<size_t>(cells);
        const Highest top = highest_cell(map, cells);
        if (!top.finite) {
            xy[2 * i] = xy[2 * i + 1] = __builtin_nanf("");
            confidence[i] = 0.0f;
            continue;
        }
        Softmax softmax;
        for (int y = 0; y < maps.height; ++y) {
            softmax.add_row(map + static_cast<size_t>(y) * maps.width, maps.width, y, top.value);
        }
        const double mass = softmax.mass.total();
        xy[2 * i] = static_cast<float>(softmax.moment_x.total() / mass);
        xy[2 * i + 1] = static_cast<float>(softmax.moment_y.total() / mass);
        const double share = mass_near(map, maps.height, maps.width, radius, top) / mass;
        confidence[i] = static_cast<float>(share < 1.0 ? share : 1.0);
    }
}

static void peak_of_maps(Maps maps, float* xy, float* value) {
    const int height = maps.height, width = maps.width, cells = height * width;
    for (size_t i = 0; i < maps.n; ++i) {
        const float* map = maps.values + i * static_cast<size_t>(cells);
        const Highest top = highest_cell(map, cells);
        if (!top.finite) {
            xy[2 * i] = xy[2 * i + 1] = value[i] = __builtin_nanf("");
            continue;
        }
        const int y = top.index / width, x = top.index % width;
        const float* cell = map + top.index;
        const double step_x = x > 0 && x < width - 1 ? parabola_step(cell[-1], cell[0], cell[1]) : 0.0;
        const double step_y = y > 0 && y < height - 1 ? parabola_step(cell[-width], cell[0], cell[width]) : 0.0;
        xy[2 * i] = static_cast<float>(x + step_x);
        xy[2 * i + 1] = static_cast<float>(y + step_y);
        value[i] = top.value;
    }
}

}  // namespace
}  // namespace spinert

namespace spinert::heatmaps {
namespace {

constexpr Kernels kTable = {soft_argmax_maps, peak_of_maps};

}  // namespace
}  // namespace spinert::heatmaps
