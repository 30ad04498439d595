// The highest value of each block of a map, which says what blocks need a second look.

namespace spinert {
namespace {

using heatmaps::Blocks;

SPINERT_INLINE Floats maximum(Floats a, Floats b) { return select(b > a, b, a); }

// Lane i with lane i + 8, then i + 4, ...: the same on every ISA.
SPINERT_INLINE float highest_lane(Floats v) {
    float lanes[16];
    store(v, lanes);
    for (int half = 8; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) lanes[i] = lanes[i + half] > lanes[i] ? lanes[i + half] : lanes[i];
    }
    return lanes[0];
}

// v - v is 0 for a finite value and nan for another; a sum keeps a nan.
struct Scan {
    Floats top, doubt;

    __attribute__((always_inline)) void take(Floats v) {
        top = maximum(top, v);
        doubt = doubt + (v - v);
    }
};

struct Highest {
    float value;
    int block;    // the first that holds it
    bool finite;  // all values of the map are
};

// tops [blocks.count]: the highest value of each block, unless a value is not finite.
SPINERT_INLINE Highest survey(const float* map, Maps shape, Blocks blocks, float* tops) {
    const Floats none = all(0.0f);
    Scan a = {none, none}, b = {none, none};  // two take turns, so that none waits for the step before it
    Highest highest = {-kInfinity, 0, true};
    const int cells = shape.cells(), step = blocks.lines * shape.width;
    for (int block = 0; block < blocks.count; ++block) {
        int i = block * step;
        const int end = block + 1 < blocks.count ? i + step : cells;
        a.top = b.top = all(map[i]);
        for (; i + 32 <= end; i += 32) {
            a.take(load(map + i));
            b.take(load(map + i + 16));
        }
        if (i < end) a.take(load_part(map + i, smaller(16, end - i), map[i]));
        if (i + 16 < end) b.take(load_part(map + i + 16, end - i - 16, map[i]));
        tops[block] = highest_lane(maximum(a.top, b.top));
        if (tops[block] > highest.value) highest = {tops[block], block, true};
    }
    highest.finite = !any(a.doubt != a.doubt) && !any(b.doubt != b.doubt);
    return highest;
}

// The first highest cell, in a map of finite values.
SPINERT_INLINE int highest_cell(const float* map, Maps shape, Blocks blocks, Highest highest) {
    int index = highest.block * blocks.lines * shape.width;
    while (map[index] != highest.value) ++index;
    return index;
}

SPINERT_INLINE Cell cell_at(int index, Maps shape) {
    const int line = index / shape.width;
    return {index % shape.width, line % shape.height, line / shape.height};
}

SPINERT_INLINE void write_point(double x, double y, double z, int axes, float* point) {
    point[0] = static_cast<float>(x);
    point[1] = static_cast<float>(y);
    if (axes == 3) point[2] = static_cast<float>(z);
}

SPINERT_INLINE void write_nan(float* values, int count) {
    for (int i = 0; i < count; ++i) values[i] = __builtin_nanf("");
}

}  // namespace
}  // namespace spinert
