// DBSCAN of points in the plane, over a grid whose cells are so small that the points of one are all within eps of each
// other: a cell of min_samples points needs no distance at all, and the core points of a cell are in one cluster.
//
// Points are sorted by cell and cells by row, so that the five cells of a row around a cell are one run of points.
// Groups of few points go to dbscan_few.inl.

namespace spinert {
namespace {

// Side of a cell in eps: just under 1 / sqrt(2), which leaves room for the rounding of a cell's place. Points within
// eps of each other lie at most two cells apart on either axis.
constexpr double kCellSide = 0.707;

// Least significant digit first, stable. Few points take small digits: counters would cost more than passes.
static const DbscanEntry* sort_by_place(DbscanEntry* entries, DbscanEntry* spare, uint32_t n, uint64_t largest) {
    const int bits = n < 1024 ? 4 : 8;
    const uint32_t digits = 1u << bits, mask = digits - 1;
    uint32_t next[256];
    for (int shift = 0; shift < 64 && largest >> shift != 0; shift += bits) {
        for (uint32_t digit = 0; digit < digits; ++digit) next[digit] = 0;
        for (uint32_t i = 0; i < n; ++i) ++next[(entries[i].place >> shift) & mask];
        uint32_t before = 0;
        for (uint32_t digit = 0; digit < digits; ++digit) {
            const uint32_t count = next[digit];
            next[digit] = before;
            before += count;
        }
        for (uint32_t i = 0; i < n; ++i) spare[next[(entries[i].place >> shift) & mask]++] = entries[i];
        DbscanEntry* const sorted = spare;
        spare = entries;
        entries = sorted;
    }
    return entries;
}

// The points of a group in the order of their cells, and the cells that hold any; cells[count] stands behind the last.
struct Grid {
    uint32_t* points;  // which point it is
    double *x, *y;
    DbscanCell* cells;
    uint32_t count;
    uint64_t stride;  // from a place to the one below it
    double limit;     // eps squared
};

static Grid build_grid(const double* points, uint32_t n, double eps, const DbscanScratch& scratch) {
    double left = points[0], right = points[0], top = points[1];
    for (size_t i = 1; i < n; ++i) {
        const double x = points[2 * i], y = points[2 * i + 1];
        left = x < left ? x : left;
        right = x > right ? x : right;
        top = y < top ? y : top;
    }
    // Two empty columns between a row and the next keep a window from reaching round, two columns and rows before the
    // first keep its places from falling below 0.
    const double per_unit = 1.0 / (kCellSide * eps);
    const uint64_t stride = static_cast<uint64_t>((right - left) * per_unit) + 3;
    uint64_t largest = 0;
    for (uint32_t i = 0; i < n; ++i) {
        const size_t k = 2 * static_cast<size_t>(i);
        const auto column = static_cast<uint32_t>(static_cast<int32_t>((points[k] - left) * per_unit));
        const auto row = static_cast<uint32_t>(static_cast<int32_t>((points[k + 1] - top) * per_unit));
        const uint64_t place = (row + 2) * stride + column + 2;
        scratch.entries[i] = {place, i};
        largest = place > largest ? place : largest;
    }
    const DbscanEntry* entries = sort_by_place(scratch.entries, scratch.spare, n, largest);

    uint32_t count = 0;
    for (uint32_t i = 0; i < n; ++i) {
        const size_t k = 2 * static_cast<size_t>(entries[i].point);
        scratch.points[i] = entries[i].point;
        scratch.x[i] = points[k];
        scratch.y[i] = points[k + 1];
        if (i == 0 || entries[i].place != entries[i - 1].place) {
            scratch.cells[count] = {entries[i].place, i, 0, count, -1};
            ++count;
        }
    }
    scratch.cells[count] = {UINT64_MAX, n, 0, count, -1};
    return {scratch.points, scratch.x, scratch.y, scratch.cells, count, stride, eps * eps};
}

// The cells at most two from a cell on either axis: row by row a run of cells, from the second row above. Only moves
// forward, so that a walk over all cells passes each five times.
struct Window {
    uint32_t begin[5] = {}, end[5] = {};

    __attribute__((always_inline)) void move_to(const Grid& grid, uint32_t cell, int first_row) {
        for (int row = first_row; row < 5; ++row) {
            const uint64_t middle = grid.cells[cell].place + static_cast<uint64_t>(row) * grid.stride - 2 * grid.stride;
            while (grid.cells[begin[row]].place < middle - 2) ++begin[row];
            if (end[row] < begin[row]) end[row] = begin[row];
            while (grid.cells[end[row]].place <= middle + 2) ++end[row];
        }
    }
};

// Points begin..end within eps of (x, y).
SPINERT_INLINE int64_t count_near(const Grid& grid, uint32_t begin, uint32_t end, double x, double y) {
    int64_t near = 0;
    for (size_t i = begin; i < end; ++i) {
        const double dx = grid.x[i] - x, dy = grid.y[i] - y;
        near += dx * dx + dy * dy <= grid.limit ? 1 : 0;
    }
    return near;
}

template <class T>
SPINERT_INLINE void swap(T& a, T& b) {
    const T before = a;
    a = b;
    b = before;
}

// Moves the core points of each cell to its front and counts them.
static void find_core_points(const Grid& grid, int64_t min_samples) {
    Window window;
    for (uint32_t c = 0; c < grid.count; ++c) {
        DbscanCell& cell = grid.cells[c];
        const uint32_t end = grid.cells[c + 1].first;
        if (end - cell.first >= min_samples) {
            cell.cores = end - cell.first;
            continue;
        }
        window.move_to(grid, c, 0);
        for (uint32_t i = cell.first; i < end; ++i) {
            int64_t near = 0;
            for (int row = 0; row < 5 && near < min_samples; ++row) {
                const uint32_t from = grid.cells[window.begin[row]].first, to = grid.cells[window.end[row]].first;
                near += count_near(grid, from, to, grid.x[i], grid.y[i]);
            }
            if (near < min_samples) continue;
            const uint32_t front = cell.first + cell.cores++;
            swap(grid.points[front], grid.points[i]);
            swap(grid.x[front], grid.x[i]);
            swap(grid.y[front], grid.y[i]);
        }
    }
}

SPINERT_INLINE uint32_t find_root(DbscanCell* cells, uint32_t c) {
    while (cells[c].parent != c) c = cells[c].parent = cells[cells[c].parent].parent;
    return c;
}

// How far v lies outside low..high.
SPINERT_INLINE double outside(double v, double low, double high) {
    return v < low ? low - v : v > high ? v - high : 0.0;
}

struct Box {
    double left, top, right, bottom;
};

SPINERT_INLINE Box box_of_cores(const Grid& grid, const DbscanCell& cell) {
    Box box = {grid.x[cell.first], grid.y[cell.first], grid.x[cell.first], grid.y[cell.first]};
    for (size_t i = cell.first + 1; i < cell.first + cell.cores; ++i) {
        box.left = grid.x[i] < box.left ? grid.x[i] : box.left;
        box.top = grid.y[i] < box.top ? grid.y[i] : box.top;
        box.right = grid.x[i] > box.right ? grid.x[i] : box.right;
        box.bottom = grid.y[i] > box.bottom ? grid.y[i] : box.bottom;
    }
    return box;
}

// Whether a core point of one cell is within eps of one of the other. Points too far from the other's box are passed
// over: two dense heaps that just miss each other would take all their pairs.
SPINERT_INLINE bool touch(const Grid& grid, const DbscanCell& a, const DbscanCell& b) {
    const Box box = box_of_cores(grid, b);
    for (size_t i = a.first; i < a.first + a.cores; ++i) {
        const double x = grid.x[i], y = grid.y[i];
        const double dx = outside(x, box.left, box.right), dy = outside(y, box.top, box.bottom);
        if (dx * dx + dy * dy <= grid.limit && count_near(grid, b.first, b.first + b.cores, x, y) > 0) return true;
    }
    return false;
}

static void join_cells(const Grid& grid) {
    Window window;
    for (uint32_t c = 0; c < grid.count; ++c) {
        if (grid.cells[c].cores == 0) continue;
        window.move_to(grid, c, 2);
        for (int row = 2; row < 5; ++row) {
            for (uint32_t other = row == 2 ? c + 1 : window.begin[row]; other < window.end[row]; ++other) {
                if (grid.cells[other].cores == 0) continue;
                const uint32_t a = find_root(grid.cells, c), b = find_root(grid.cells, other);
                if (a == b || !touch(grid, grid.cells[c], grid.cells[other])) continue;
                grid.cells[a < b ? b : a].parent = a < b ? a : b;
            }
        }
    }
}

// Clusters in the order of their first core points, and the labels of all core points; -1 for the other points.
static void number_clusters(const Grid& grid, uint32_t n, int32_t* labels) {
    for (uint32_t c = 0; c < grid.count; ++c) {
        const DbscanCell& cell = grid.cells[c];
        const uint32_t cores_end = cell.first + cell.cores, end = grid.cells[c + 1].first;
        const auto root = static_cast<int32_t>(find_root(grid.cells, c));
        for (uint32_t i = cell.first; i < cores_end; ++i) labels[grid.points[i]] = root;
        for (uint32_t i = cores_end; i < end; ++i) labels[grid.points[i]] = -1;
    }
    int32_t clusters = 0;
    for (uint32_t i = 0; i < n; ++i) {
        if (labels[i] < 0) continue;
        DbscanCell& root = grid.cells[labels[i]];
        if (root.cluster < 0) root.cluster = clusters++;
        labels[i] = root.cluster;
    }
    for (uint32_t c = 0; c < grid.count; ++c) grid.cells[c].cluster = grid.cells[find_root(grid.cells, c)].cluster;
}

// The lowest cluster with a core point within eps.
static void label_border_points(const Grid& grid, int32_t* labels) {
    Window window;
    for (uint32_t c = 0; c < grid.count; ++c) {
        const uint32_t begin = grid.cells[c].first + grid.cells[c].cores, end = grid.cells[c + 1].first;
        if (begin == end) continue;
        window.move_to(grid, c, 0);
        for (uint32_t i = begin; i < end; ++i) {
            int32_t lowest = INT32_MAX;
            for (int row = 0; row < 5; ++row) {
                for (uint32_t other = window.begin[row]; other < window.end[row]; ++other) {
                    const DbscanCell& cell = grid.cells[other];
                    if (cell.cores == 0 || cell.cluster >= lowest) continue;
                    if (count_near(grid, cell.first, cell.first + cell.cores, grid.x[i], grid.y[i]) > 0) {
                        lowest = cell.cluster;
                    }
                }
            }
            if (lowest != INT32_MAX) labels[grid.points[i]] = lowest;
        }
    }
}

static void dbscan_group(const double* points, uint32_t n, double eps, int64_t min_samples,
                         const DbscanScratch& scratch, int32_t* labels) {
    if (n <= kFew) return dbscan_few(points, n, eps, min_samples, labels);
    const Grid grid = build_grid(points, n, eps, scratch);
    find_core_points(grid, min_samples);
    join_cells(grid);
    number_clusters(grid, n, labels);
    label_border_points(grid, labels);
}

}  // namespace
}  // namespace spinert
