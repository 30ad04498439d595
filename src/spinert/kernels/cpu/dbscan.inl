// DBSCAN of points in the plane over the grid of dbscan_grid.inl: a cell of min_samples points needs no distance at all,
// and the core points of a cell are in one cluster. Groups of few points go to dbscan_few.inl.
//
// While cells are joined, the labels are their parents: a forest with a cluster in each tree.

namespace spinert {
namespace {

template <class Key>
SPINERT_INLINE bool is_near(const Grid<Key>& grid, size_t i, double x, double y) {
    const double* const other = grid.point(i);
    const double dx = other[0] - x, dy = other[1] - y;
    return dx * dx + dy * dy <= grid.limit;
}

template <class Key>
SPINERT_INLINE bool any_near(const Grid<Key>& grid, uint32_t begin, uint32_t end, double x, double y) {
    for (size_t i = begin; i < end; ++i) {
        if (is_near(grid, i, x, y)) return true;
    }
    return false;
}

constexpr int kNearestFirst[5] = {2, 1, 3, 0, 4};  // rows of a window

// Moves the core points of each cell to its front and marks them.
template <class Key>
static void find_core_points(const Grid<Key>& grid, int64_t min_samples) {
    Window window;
    for (uint32_t cell = 0, end; cell < grid.n; cell = end) {
        end = grid.cell_end(cell);
        if (end - cell >= min_samples) {
            for (uint32_t i = cell; i < end; ++i) grid.order[i] |= kCore;
            continue;
        }
        window.move_to(grid, cell, 0);
        uint32_t front = cell;
        for (uint32_t i = cell; i < end; ++i) {
            const double x = grid.point(i)[0], y = grid.point(i)[1];
            int64_t near = 0;
            for (int turn = 0; turn < 5 && near < min_samples; ++turn) {
                const int row = kNearestFirst[turn];
                for (size_t j = window.begin[row]; j < window.end[row]; ++j) near += is_near(grid, j, x, y) ? 1 : 0;
            }
            if (near < min_samples) continue;
            swap(grid.order[front], grid.order[i]);
            grid.order[front++] |= kCore;
        }
    }
}

// How far v lies outside low..high.
SPINERT_INLINE double outside(double v, double low, double high) {
    return v < low ? low - v : v > high ? v - high : 0.0;
}

struct Box {
    double left, top, right, bottom;
};

template <class Key>
SPINERT_INLINE Box box_of(const Grid<Key>& grid, uint32_t begin, uint32_t end) {
    const double* const first = grid.point(begin);
    Box box = {first[0], first[1], first[0], first[1]};
    for (size_t i = begin + size_t{1}; i < end; ++i) {
        const double x = grid.point(i)[0], y = grid.point(i)[1];
        box.left = x < box.left ? x : box.left;
        box.top = y < box.top ? y : box.top;
        box.right = x > box.right ? x : box.right;
        box.bottom = y > box.bottom ? y : box.bottom;
    }
    return box;
}

// Whether a core point of one cell is within eps of one of the other. Points too far from the other's box are passed
// over: two dense heaps that just miss each other would take all their pairs.
template <class Key>
SPINERT_INLINE bool touch(const Grid<Key>& grid, uint32_t a, uint32_t a_end, uint32_t b, uint32_t b_end) {
    const Box box = box_of(grid, b, b_end);
    for (size_t i = a; i < a_end; ++i) {
        const double x = grid.point(i)[0], y = grid.point(i)[1];
        const double dx = outside(x, box.left, box.right), dy = outside(y, box.top, box.bottom);
        if (dx * dx + dy * dy <= grid.limit && any_near(grid, b, b_end, x, y)) return true;
    }
    return false;
}

SPINERT_INLINE uint32_t find_root(uint32_t* parents, uint32_t i) {
    while (parents[i] != i) i = parents[i] = parents[parents[i]];
    return i;
}

constexpr uint32_t kNone = UINT32_MAX;  // the parent of a point that is no core point

// Each core point to the first of its cell.
template <class Key>
static void join_points(const Grid<Key>& grid, uint32_t* parents) {
    for (uint32_t cell = 0, end; cell < grid.n; cell = end) {
        end = grid.cell_end(cell);
        for (uint32_t i = cell; i < end; ++i) parents[i] = grid.is_core(i) ? cell : kNone;
    }
}

// Joins the cells with core points within eps of each other: the parent of a core point is one of the same cluster that
// comes before it, in the order of the grid, or itself.
template <class Key>
static void join_cells(const Grid<Key>& grid, uint32_t* parents) {
    Window window;
    for (uint32_t cell = 0, end; cell < grid.n; cell = end) {
        end = grid.cell_end(cell);
        if (!grid.is_core(cell)) continue;
        const uint32_t cores_end = grid.cores_end(cell, end);
        uint32_t root = find_root(parents, cell);
        window.move_to(grid, cell, 2);
        for (int row = 2; row < 5; ++row) {
            uint32_t next;
            for (uint32_t i = row == 2 ? end : window.begin[row]; i < window.end[row]; i = next) {
                next = i + 1;
                if (parents[i] == root || parents[i] == kNone) continue;
                const uint32_t others = find_root(parents, i);
                if (others == root) {
                    parents[i] = root;
                    continue;
                }
                next = grid.cell_end(i);
                if (!touch(grid, cell, cores_end, i, grid.cores_end(i, next))) continue;
                parents[root < others ? others : root] = root < others ? root : others;
                root = root < others ? root : others;
            }
        }
    }
}

// From parents to labels: clusters in the order of their first core points, noise for all points that are none. Both
// are the same memory, one in the order of the grid and one in that of the points: in between, clusters are keys.
template <class Key>
static void number_clusters(const Grid<Key>& grid, int32_t* labels) {
    uint32_t* const parents = reinterpret_cast<uint32_t*>(labels);
    for (uint32_t cell = 0, end; cell < grid.n; cell = end) {
        end = grid.cell_end(cell);
        const Key root = grid.is_core(cell) ? find_root(parents, cell) : cell;
        for (uint32_t i = cell; i < end; ++i) grid.keys[i] = root;
    }
    uint32_t* const firsts = parents;
    for (uint32_t i = 0; i < grid.n; ++i) firsts[i] = UINT32_MAX;
    for (uint32_t i = 0; i < grid.n; ++i) {
        uint32_t& first = firsts[grid.keys[i]];
        first = grid.is_core(i) && grid.index(i) < first ? grid.index(i) : first;
    }
    for (uint32_t i = 0; i < grid.n; ++i) grid.keys[i] = firsts[grid.keys[i]];
    for (uint32_t i = 0; i < grid.n; ++i) {
        labels[grid.index(i)] = grid.is_core(i) ? static_cast<int32_t>(grid.keys[i]) : -1;
    }
    int32_t clusters = 0;
    for (int32_t i = 0; i < static_cast<int32_t>(grid.n); ++i) {  // the first of a cluster comes before all others
        if (labels[i] >= 0) labels[i] = labels[i] == i ? clusters++ : labels[labels[i]];
    }
    number_cells(grid);
}

// The lowest cluster with a core point within eps.
template <class Key>
static void label_border_points(const Grid<Key>& grid, int32_t* labels) {
    Window window;
    for (uint32_t cell = 0, end; cell < grid.n; cell = end) {
        end = grid.cell_end(cell);
        const uint32_t begin = grid.cores_end(cell, end);
        if (begin == end) continue;
        window.move_to(grid, cell, 0);
        for (uint32_t i = begin; i < end; ++i) {
            const double x = grid.point(i)[0], y = grid.point(i)[1];
            int32_t lowest = INT32_MAX;
            for (int row = 0; row < 5; ++row) {
                for (uint32_t other = window.begin[row], next; other < window.end[row]; other = next) {
                    next = grid.cell_end(other);
                    if (!grid.is_core(other)) continue;
                    const int32_t cluster = labels[grid.index(other)];
                    if (cluster < lowest && any_near(grid, other, grid.cores_end(other, next), x, y)) lowest = cluster;
                }
            }
            if (lowest != INT32_MAX) labels[grid.order[i]] = lowest;
        }
    }
}

template <class Key>
SPINERT_INLINE void dbscan_grid(const DbscanGroup& group, const DbscanFrame& frame, uint64_t* scratch) {
    Key* const keys = reinterpret_cast<Key*>(scratch);
    uint32_t* const order = reinterpret_cast<uint32_t*>(keys + group.n + 1);
    uint32_t* const spare = reinterpret_cast<uint32_t*>(group.labels);
    const Grid<Key> grid = {group.points, group.n, frame, group.eps * group.eps, order, keys};
    sort_points(grid, spare);
    find_core_points(grid, group.min_samples);
    join_points(grid, spare);
    join_cells(grid, spare);
    number_clusters(grid, group.labels);
    label_border_points(grid, group.labels);
}

static void dbscan_group(const DbscanGroup& group, const DbscanFrame& frame, uint64_t* scratch) {
    frame.is_wide() ? dbscan_grid<uint64_t>(group, frame, scratch) : dbscan_grid<uint32_t>(group, frame, scratch);
}

}  // namespace
}  // namespace spinert
