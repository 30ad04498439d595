// Mean, spread and concentration of softmax(map / temperature).

namespace spinert {
namespace {

// `exp2_of_nonpositive` of math/exponential.h, step by step, on sixteen lanes.
SPINERT_INLINE Floats exp2_of_nonpositive(Floats t) {
    t = maximum(t, all(-126.0f));
    // adding 1.5 * 2**23 rounds to an integer, which then lies in the low bits of the float
    const Floats shifter = all(12582912.0f);
    const Floats shifted = t + shifter;
    const Floats f = t - (shifted - shifter);
    // pairs first (Estrin): half as long a chain of dependent steps as from the highest power down
    const Floats ff = f * f;
    const Floats powers_4_5 = f * all(1.3264727e-3f) + all(9.6715127e-3f);
    const Floats powers_2_3 = f * all(5.5507337e-2f) + all(2.4022242e-1f);
    const Floats powers_0_1 = f * all(6.9314698e-1f) + all(1.0f);
    const Floats p = (powers_4_5 * ff + powers_2_3) * ff + powers_0_1;
    // n added to the exponent of p: shifted left, the bits of the shifter are gone
    return bits_as<float>(bits_as<int32_t>(p) + (bits_as<int32_t>(shifted) << all(23)));
}

struct Weighing {
    Floats top, scale;

    __attribute__((always_inline)) Floats operator()(Floats v) const { return exp2_of_nonpositive((v - top) * scale); }

    // Of the first `count` cells; the other lanes weigh nothing at all.
    __attribute__((always_inline)) Floats part(const float* cells, int count) const {
        const Floats v = load_part(cells, count, -kInfinity), none = all(0.0f);
        return select(v > all(-kInfinity), (*this)(v), none);
    }
};

// Sums of weight, weight * dx, ... with dx, dy, dz counted from the highest cell: what is far from it weighs little,
// and what is near it loses nothing by rounding.
enum Moment { kMass, kX, kY, kZ, kXX, kYY, kZZ, kXY, kXZ, kYZ, kMoments };

template <bool kSpread>
struct Moments {
    static constexpr int kSums = kSpread ? kMoments : kXX;
    static constexpr int kSegment = 512;  // cells of a line
    static constexpr int kFlush = 64;     // additions in a lane of float, or a few more, before it goes to double
    Floats lanes[kSums];
    Sums sums[kSums];
    int pending = 0;

    __attribute__((always_inline)) Moments() { clear(); }

    __attribute__((always_inline)) void clear() {
        for (Floats& lane : lanes) lane = all(0.0f);
        pending = 0;
    }

    __attribute__((always_inline)) void flush() {
        for (int i = 0; i < kSums; ++i) sums[i].add(lanes[i]);
        clear();
    }

    // At most kSegment cells of a line; the first is dx, dy, dz cells from the highest.
    __attribute__((always_inline)) void add(const float* cells, int count, int dx, int dy, int dz, Weighing weigh) {
        const float lane_numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        Floats column = load(lane_numbers) + all(static_cast<float>(dx));
        Floats mass = all(0.0f), x = all(0.0f), xx = all(0.0f);
        const auto take = [&](Floats weight) {
            const Floats moment = weight * column;
            mass = mass + weight;
            x = x + moment;
            if (kSpread) xx = xx + moment * column;
            column = column + all(16.0f);
        };
        int i = 0;
        for (; i + 16 <= count; i += 16) take(weigh(load(cells + i)));
        if (i < count) take(weigh.part(cells + i, count - i));
        add_line(mass, x, xx, all(static_cast<float>(dy)), all(static_cast<float>(dz)));
        pending += (count + 15) / 16 + 1;
        if (pending >= kFlush) flush();
    }

    __attribute__((always_inline)) void add_line(Floats mass, Floats x, Floats xx, Floats dy, Floats dz) {
        const Floats y = mass * dy, z = mass * dz;
        lanes[kMass] = lanes[kMass] + mass;
        lanes[kX] = lanes[kX] + x;
        lanes[kY] = lanes[kY] + y;
        lanes[kZ] = lanes[kZ] + z;
        if constexpr (kSpread) {
            lanes[kXX] = lanes[kXX] + xx;
            lanes[kYY] = lanes[kYY] + y * dy;
            lanes[kZZ] = lanes[kZZ] + z * dz;
            lanes[kXY] = lanes[kXY] + x * dy;
            lanes[kXZ] = lanes[kXZ] + x * dz;
            lanes[kYZ] = lanes[kYZ] + y * dz;
        }
    }
};

template <bool kSpread>
SPINERT_INLINE void add_map(const float* map, Maps shape, Blocks blocks, const float* tops, float top, float scale,
                            Cell centre, Moments<kSpread>& moments) {
    const Weighing weigh = {all(top), all(scale)};
    const float negligible = negligible_bits(shape.cells());
    for (int block = 0; block < blocks.count; ++block) {
        if ((top - tops[block]) * scale > negligible) continue;
        const int end = smaller(shape.lines(), (block + 1) * blocks.lines);
        for (int line = block * blocks.lines; line < end; ++line) {
            const int dy = line % shape.height - centre.y, dz = line / shape.height - centre.z;
            const float* const cells = map + static_cast<size_t>(line) * shape.width;
            for (int x = 0; x < shape.width; x += Moments<kSpread>::kSegment) {
                const int count = smaller(Moments<kSpread>::kSegment, shape.width - x);
                moments.add(cells + x, count, x - centre.x, dy, dz, weigh);
            }
        }
    }
    moments.flush();
}

// Mass within `radius` cells of the highest one along every axis.
SPINERT_INLINE double mass_near(const float* map, Maps shape, int radius, Cell top, Weighing weigh) {
    const int end_z = smaller(shape.depth - 1, top.z + radius), end_y = smaller(shape.height - 1, top.y + radius);
    const int begin_x = larger(0, top.x - radius), end_x = smaller(shape.width, top.x + radius + 1);
    Sums mass;
    for (int z = larger(0, top.z - radius); z <= end_z; ++z) {
        for (int y = larger(0, top.y - radius); y <= end_y; ++y) {
            const float* const line = map + (static_cast<size_t>(z) * shape.height + y) * shape.width;
            for (int x = begin_x; x < end_x; x += 16) {
                mass.add(weigh.part(line + x, smaller(16, end_x - x)));
            }
        }
    }
    return mass.total();
}

SPINERT_INLINE void write_covariance(const Moments<true>& moments, double mass, const double* mean, int axes,
                                     float* covariance) {
    const Moment second[3][3] = {{kXX, kXY, kXZ}, {kXY, kYY, kYZ}, {kXZ, kYZ, kZZ}};
    for (int i = 0; i < axes; ++i) {
        for (int j = 0; j < axes; ++j) {
            const double value = moments.sums[second[i][j]].total() / mass - mean[i] * mean[j];
            covariance[i * axes + j] = static_cast<float>(i == j && value < 0.0 ? 0.0 : value);
        }
    }
}

template <bool kSpread>
SPINERT_INLINE void soft_position(const float* map, Maps shape, Softmax softmax, Blocks blocks, float* tops,
                                  float* point, float* confidence, float* covariance) {
    const Highest highest = survey(map, shape, blocks, tops);
    if (!highest.finite) {
        write_nan(point, shape.axes);
        if (kSpread) write_nan(covariance, shape.axes * shape.axes);
        *confidence = 0.0f;
        return;
    }
    const float scale = static_cast<float>(kBitsPerNat / softmax.temperature);
    const Cell top = cell_at(highest_cell(map, shape, blocks, highest), shape);
    Moments<kSpread> moments;
    add_map(map, shape, blocks, tops, highest.value, scale, top, moments);
    const double mass = moments.sums[kMass].total();
    const double mean[3] = {moments.sums[kX].total() / mass, moments.sums[kY].total() / mass,
                            moments.sums[kZ].total() / mass};
    write_point(top.x + mean[0], top.y + mean[1], top.z + mean[2], shape.axes, point);
    const double share = mass_near(map, shape, softmax.radius, top, {all(highest.value), all(scale)}) / mass;
    *confidence = static_cast<float>(share < 1.0 ? share : 1.0);
    if constexpr (kSpread) write_covariance(moments, mass, mean, shape.axes, covariance);
}

static void soft_argmax_map(const float* map, Maps shape, Softmax softmax, Blocks blocks, float* tops, float* point,
                            float* confidence) {
    soft_position<false>(map, shape, softmax, blocks, tops, point, confidence, nullptr);
}

static void soft_moments_map(const float* map, Maps shape, Softmax softmax, Blocks blocks, float* tops, float* point,
                             float* confidence, float* covariance) {
    soft_position<true>(map, shape, softmax, blocks, tops, point, confidence, covariance);
}

}  // namespace
}  // namespace spinert
