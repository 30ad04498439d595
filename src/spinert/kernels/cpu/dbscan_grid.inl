// Points in the plane in the order of the cells of a grid. The cells are so small that the points of one are all within
// eps of each other. Cells are ordered row by row, so that the five cells of a row around a cell are one run of points.
//
// A point costs its place in that order and its cell, 8 bytes, or 12 where the numbers of the cells need 64 bits; its
// coordinates are read where they are.

namespace spinert {
namespace {

// Side of a cell in eps: just under 1 / sqrt(2), which leaves room for the rounding of a cell's place. Points within
// eps of each other lie at most two cells apart on either axis.
constexpr double kCellSide = 0.707;

constexpr uint32_t kCore = uint32_t{1} << 31;  // in `order`: it is a core point

template <class T>
SPINERT_INLINE void swap(T& a, T& b) {
    const T before = a;
    a = b;
    b = before;
}

static DbscanFrame frame_of_group(const double* points, uint32_t n, double eps) {
    double left = points[0], right = points[0], top = points[1], bottom = points[1];
    for (size_t i = 1; i < n; ++i) {
        const double x = points[2 * i], y = points[2 * i + 1];
        left = x < left ? x : left;
        right = x > right ? x : right;
        top = y < top ? y : top;
        bottom = y > bottom ? y : bottom;
    }
    // Two empty columns between a row and the next keep a window from reaching round; two columns and rows before the
    // first keep its cells from falling below 0; two rows behind the last keep them below `cells`.
    const double per_unit = 1.0 / (kCellSide * eps);
    const uint64_t stride = static_cast<uint64_t>((right - left) * per_unit) + 3;
    const uint64_t rows = static_cast<uint64_t>((bottom - top) * per_unit) + 6;
    return {left, top, per_unit, stride, stride * rows};
}

template <class Key>
struct Grid {
    const double* points;
    uint32_t n;
    DbscanFrame frame;
    double limit;     // eps squared
    uint32_t* order;  // which point it is; + kCore
    Key* keys;        // number of its cell; one more stands behind the last

    __attribute__((always_inline)) uint32_t index(size_t i) const { return order[i] & ~kCore; }
    __attribute__((always_inline)) const double* point(size_t i) const {
        return points + 2 * static_cast<size_t>(index(i));
    }
    __attribute__((always_inline)) bool is_core(size_t i) const { return (order[i] & kCore) != 0; }

    // Behind the last point of the cell that begins at i.
    __attribute__((always_inline)) uint32_t cell_end(uint32_t i) const {
        const Key key = keys[i];
        while (keys[++i] == key) continue;
        return i;
    }
    __attribute__((always_inline)) uint32_t cores_end(uint32_t i, uint32_t end) const {
        while (i < end && is_core(i)) ++i;
        return i;
    }
};

template <class Key>
SPINERT_INLINE Key cell_of(const double* point, const DbscanFrame& frame) {
    const auto column = static_cast<uint32_t>(static_cast<int32_t>((point[0] - frame.left) * frame.per_unit));
    const auto row = static_cast<uint32_t>(static_cast<int32_t>((point[1] - frame.top) * frame.per_unit));
    return static_cast<Key>((row + uint64_t{2}) * frame.stride + column + 2);
}

// Sorts the numbers of points by key, least significant digit first. Few points take small digits: counters would cost more than
// passes. `spare` is of n numbers too.
template <class Key>
static void sort_by_key(const Key* keys, uint64_t largest, uint32_t n, uint32_t* order, uint32_t* spare) {
    const int bits = n < 1024 ? 4 : n < 16384 ? 8 : 11;
    const uint32_t digits = 1u << bits, mask = digits - 1;
    uint32_t next[2048];
    uint32_t *from = order, *to = spare;
    for (int shift = 0; shift < 64 && largest >> shift != 0; shift += bits) {
        for (uint32_t digit = 0; digit < digits; ++digit) next[digit] = 0;
        for (uint32_t i = 0; i < n; ++i) ++next[(keys[i] >> shift) & mask];
        uint32_t before = 0;
        for (uint32_t digit = 0; digit < digits; ++digit) {
            const uint32_t count = next[digit];
            next[digit] = before;
            before += count;
        }
        for (uint32_t i = 0; i < n; ++i) to[next[(keys[from[i]] >> shift) & mask]++] = from[i];
        swap(from, to);
    }
    if (from != order) __builtin_memcpy(order, from, n * sizeof *order);
}

template <class Key>
static void number_cells(const Grid<Key>& grid) {
    for (uint32_t i = 0; i < grid.n; ++i) grid.keys[i] = cell_of<Key>(grid.point(i), grid.frame);
}

// `grid.order` becomes an order of the points; `spare` is of n numbers too.
template <class Key>
static void sort_points(const Grid<Key>& grid, uint32_t* spare) {
    for (uint32_t i = 0; i < grid.n; ++i) grid.order[i] = i;
    number_cells(grid);
    sort_by_key(grid.keys, grid.frame.cells, grid.n, grid.order, spare);
    number_cells(grid);
    grid.keys[grid.n] = static_cast<Key>(~uint64_t{0});
}

// The points of the cells at most two from a cell on either axis: row by row a run, from the second row above. Only
// moves forward, so that a walk over all cells passes each point five times.
struct Window {
    uint32_t begin[5] = {}, end[5] = {};

    // `first` is the first point of the cell.
    template <class Key>
    __attribute__((always_inline)) void move_to(const Grid<Key>& grid, uint32_t first, int first_row) {
        const Key stride = static_cast<Key>(grid.frame.stride);
        for (int row = first_row; row < 5; ++row) {
            const Key middle = grid.keys[first] + static_cast<Key>(row) * stride - 2 * stride;
            uint32_t b = begin[row], e = end[row];
            while (grid.keys[b] < middle - 2) ++b;
            if (e < b) e = b;
            while (grid.keys[e] <= middle + 2) ++e;
            begin[row] = b;
            end[row] = e;
        }
    }
};

}  // namespace
}  // namespace spinert
