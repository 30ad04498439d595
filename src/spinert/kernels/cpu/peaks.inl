// The highest cell, and the highest peaks some distance apart.

namespace spinert {
namespace {

SPINERT_INLINE void write_refined(const float* map, Maps shape, int index, float* point) {
    const Cell at = cell_at(index, shape);
    const float* const cell = map + index;
    const auto along = [&](int place, int length, int step) {
        const bool inside = 0 < place && place < length - 1;
        return place + (inside ? parabola_step(cell[-step], cell[0], cell[step]) : 0.0);
    };
    write_point(along(at.x, shape.width, 1), along(at.y, shape.height, shape.width),
                along(at.z, shape.depth, shape.height * shape.width), shape.axes, point);
}

static void peak_of_map(const float* map, Maps shape, Blocks blocks, float* tops, float* point, float* value) {
    const Highest highest = survey(map, shape, blocks, tops);
    if (!highest.finite) {
        write_nan(point, shape.axes);
        write_nan(value, 1);
        return;
    }
    const int index = highest_cell(map, shape, blocks, highest);
    write_refined(map, shape, index, point);
    *value = map[index];
}

// The lines around one: a neighbour in a line before it must be lower than a peak, one after it may be as high.
struct Around {
    int offset[8];  // in cells, from a cell to the one of the same x
    bool before[8];
    int count = 0;

    __attribute__((always_inline)) Around(Maps shape, int line) {
        const int y = line % shape.height, z = line / shape.height;
        for (int dz = -1; dz <= 1; ++dz) {
            for (int dy = -1; dy <= 1; ++dy) {
                const bool inside = 0 <= y + dy && y + dy < shape.height && 0 <= z + dz && z + dz < shape.depth;
                if (!inside || (dy == 0 && dz == 0)) continue;
                offset[count] = (dz * shape.height + dy) * shape.width;
                before[count++] = dz < 0 || (dz == 0 && dy < 0);
            }
        }
    }
};

struct PeakSearch {
    const float* map;
    Maps shape;
    PeakRule rule;
    const int32_t* taken;
    int count;

    // A cell that no neighbour exceeds and no neighbour before it equals.
    __attribute__((always_inline)) bool is_peak(int index, int x, const Around& around) const {
        const float* const cell = map + index;
        const bool left = x > 0, right = x + 1 < shape.width;
        if ((left && cell[-1] >= *cell) || (right && cell[1] > *cell)) return false;
        for (int i = 0; i < around.count; ++i) {
            const float* const line = cell + around.offset[i];
            for (int dx = left ? -1 : 0; dx <= (right ? 1 : 0); ++dx) {
                if (around.before[i] ? line[dx] >= *cell : line[dx] > *cell) return false;
            }
        }
        return true;
    }

    // Which of 16 cells, none of them at either end of a line, exceed `floor` and are peaks.
    __attribute__((always_inline)) Ints peaks(const float* cells, float floor, const Around& around) const {
        const Floats v = load(cells);
        Ints mask = bits_as<int32_t>(v > all(floor));
        if (!any(mask)) return mask;
        mask = mask & bits_as<int32_t>(load(cells - 1) < v) & bits_as<int32_t>(load(cells + 1) <= v);
        for (int i = 0; i < around.count && any(mask); ++i) {
            const float* const line = cells + around.offset[i];
            const Floats highest = maximum(maximum(load(line - 1), load(line)), load(line + 1));
            mask = mask & bits_as<int32_t>(around.before[i] ? highest < v : highest <= v);
        }
        return mask;
    }

    __attribute__((always_inline)) bool too_near(int index) const {
        const Cell a = cell_at(index, shape);
        for (int i = 0; i < count; ++i) {
            const Cell b = cell_at(taken[i], shape);
            const double dx = a.x - b.x, dy = a.y - b.y, dz = a.z - b.z;
            if (dx * dx + dy * dy + dz * dz < rule.min_distance * rule.min_distance) return true;
        }
        return false;
    }

    struct Found {
        int index;  // -1: none
        float value;

        __attribute__((always_inline)) void offer(const PeakSearch& search, int i) {
            if (search.map[i] > value && !search.too_near(i)) *this = {i, search.map[i]};
        }
    };

    __attribute__((always_inline)) void look_at_line(int line, Found& best) const {
        const int width = shape.width, first = line * width;
        const Around around(shape, line);
        const auto offer = [&](int x) {
            if (map[first + x] > best.value && is_peak(first + x, x, around)) best.offer(*this, first + x);
        };
        offer(0);
        if (width < 18) {
            for (int x = 1; x < width; ++x) offer(x);
            return;
        }
        for (int x = 1;; x += 16) {
            x = smaller(x, width - 17);  // the last 16 may overlap those before: what is found twice is found once
            int32_t lanes[16];
            const Ints mask = peaks(map + first + x, best.value, around);
            if (any(mask)) {
                store(mask, lanes);
                for (int i = 0; i < 16; ++i) {
                    if (lanes[i]) best.offer(*this, first + x + i);
                }
            }
            if (x == width - 17) break;
        }
        offer(width - 1);
    }

    // The first highest peak of a block that is above the threshold and not too near to one taken.
    __attribute__((noinline)) Found best_of(Blocks blocks, int block) const {
        Found best = {-1, rule.threshold};
        const int end = smaller(shape.lines(), (block + 1) * blocks.lines);
        for (int line = block * blocks.lines; line < end; ++line) look_at_line(line, best);
        return best;
    }
};

// The first of the highest.
SPINERT_INLINE int highest_block(const float* tops, int count) {
    Floats high = all(-kInfinity);
    int i = 0;
    for (; i + 16 <= count; i += 16) high = maximum(high, load(tops + i));
    if (i < count) high = maximum(high, load_part(tops + i, count - i, -kInfinity));
    const float top = highest_lane(high);
    for (i = 0; tops[i] != top; ++i) {
    }
    return i;
}

// tops [block] is never below the best peak left in the block, and equal to it where best [block] is that peak. So a
// block is looked at only when it comes to be the highest, and once more when its best peak turns out too near.
static void top_peaks_of_map(const float* map, Maps shape, PeakRule rule, Blocks blocks, float* tops, int32_t* best,
                             int32_t* taken, float* points, float* values, int32_t* count) {
    write_nan(points, rule.k * shape.axes);
    write_nan(values, rule.k);
    *count = 0;
    if (!survey(map, shape, blocks, tops).finite) return;
    for (int block = 0; block < blocks.count; ++block) best[block] = -1;
    PeakSearch search = {map, shape, rule, taken, 0};
    while (search.count < rule.k) {
        const int block = highest_block(tops, blocks.count);
        if (!(tops[block] > rule.threshold)) break;
        if (best[block] < 0 || search.too_near(best[block])) {
            const PeakSearch::Found found = search.best_of(blocks, block);
            best[block] = found.index;
            tops[block] = found.index < 0 ? -kInfinity : found.value;
            continue;
        }
        write_refined(map, shape, best[block], points + search.count * shape.axes);
        values[search.count] = map[best[block]];
        taken[search.count++] = best[block];
        best[block] = -1;
    }
    *count = search.count;
}

}  // namespace
}  // namespace spinert
