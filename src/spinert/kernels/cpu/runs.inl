// Which runs of voxels are connected. Comparing a row's bits with those of a neighbour yields one bit for each pair of
// runs that touch, so the runs themselves are never walked along.
//
// Runs are united in a table of parents. A parent comes before its child, so the root of a component is its first run.

namespace spinert {
namespace {

// Two runs become parts of one component: climbs from the run with the later parent, handing each run on the way an
// earlier one (Rem's algorithm with splicing; Patwary, Blair, Manne, SEA 2010).
SPINERT_INLINE void unite(int32_t* table, int32_t a, int32_t b) {
    int32_t parent_a = table[a], parent_b = table[b];
    while (parent_a != parent_b) {
        if (parent_a < parent_b) {
            const int32_t run = a, parent = parent_a;
            a = b, parent_a = parent_b;
            b = run, parent_b = parent;
        }
        table[a] = parent_b;
        if (a == parent_a) return;
        a = parent_a;
        parent_a = table[a];
    }
}

// Which voxels of a word of one row are equal to those of another: to the one at the same place, before it, after it.
template <Kind kKind, bool kCorners>
struct Equal {
    uint64_t here, before, after;

    __attribute__((always_inline)) Equal(const Row& row, const Row& other, int w) : before(0), after(0) {
        const uint64_t bits = row.bits[w];
        if (kKind == Kind::mask) {
            const uint64_t* them = other.bits + w;
            here = bits & *them;
            if (kCorners) before = bits & (*them << 1 | them[-1] >> 63);
            if (kCorners) after = bits & (*them >> 1 | them[1] << 63);
        } else {
            const uint8_t *values = row.values + 64 * w, *them = other.values + 64 * w;
            here = bits & ~differing_bits(values, them);
            if (kCorners) before = bits & ~differing_bits(values, them - 1);
            if (kCorners) after = bits & ~differing_bits(values, them + 1);
        }
    }
    uint64_t any() const { return here | before | after; }
};

// A word of a row, and the rows around it.
struct Word {
    int w;
    uint64_t starts, ends;  // first and last voxels of its runs
    const Row& row;
    int32_t* table;

    __attribute__((always_inline)) int32_t run_at(uint64_t bit) const {
        return row.rank[w] + count_bits(starts & (bit | (bit - 1))) - 1;
    }

    // Unites each pair of runs of this row and another once: where they begin to lie side by side, or at the corner.
    // `known` are pairs that are known to be connected; `carry` says whether the last voxels before were equal.
    template <Kind kKind, bool kCorners>
    __attribute__((always_inline)) void connect(const Row& other, const Equal<kKind, kCorners>& equal,
                                                const Equal<kKind, kCorners>& known, uint64_t& carry) const {
        const uint64_t begins = equal.here & (starts | ~(equal.here << 1 | carry)) & ~known.any();
        const uint64_t before = equal.before & ~equal.here & starts & ~(known.here | known.before);
        carry = equal.here >> 63;
        const int32_t rank = other.rank[w];
        const uint64_t theirs = other.starts[w];
        for (uint64_t left = begins | before; left != 0; left &= left - 1) {
            const uint64_t bit = left & -left;
            unite(table, run_at(bit), rank + count_bits(theirs & ((bit - 1) | (bit & equal.here))) - 1);
        }
        if (!kCorners) return;
        const uint64_t after = equal.after & ~equal.here & ends & ~(known.here | known.after);
        for (uint64_t left = after; left != 0; left &= left - 1) {
            const uint64_t bit = left & -left;
            unite(table, run_at(bit), rank + count_bits(theirs & (bit | (bit - 1))));
        }
    }
};

// The rows that come before a row and touch it: above it, and of the slice before, at, above and below its place.
struct Around {
    Row above, at, at_above, at_below;
};

// Unites the runs of a row with those around it. A pair is left out where a third run, connected to both, is seen: two
// rows around that touch each other have been connected when they were read.
template <Kind kKind, bool kCorners>
SPINERT_INLINE void connect_row(const Row& row, const Around& around, int words, int32_t* table) {
    using Equals = Equal<kKind, kCorners>;
    uint64_t carry_at = 0, carry_above = 0, carry_at_above = 0, carry_at_below = 0;
    for (int w = 0; w < words; ++w) {
        const uint64_t bits = row.bits[w];
        if (bits == 0) {
            carry_at = carry_above = carry_at_above = carry_at_below = 0;
            continue;
        }
        const uint64_t inner = bits & ~row.starts[w], next_inner = row.bits[w + 1] & ~row.starts[w + 1];
        const Word word = {w, row.starts[w], bits & ~(inner >> 1 | next_inner << 63), row, table};
        const Equals at(row, around.at, w), above(row, around.above, w), at_above(row, around.at_above, w);
        Equals none = at, known = at;
        none.here = none.before = none.after = 0;
        word.connect(around.at, at, none, carry_at);
        if (kCorners) {
            const Equals at_below(row, around.at_below, w);
            word.connect(around.above, above, known, carry_above);
            word.connect(around.at_below, at_below, known, carry_at_below);
            known.here |= above.here;
            known.before |= above.before;
            known.after |= above.after;
            word.connect(around.at_above, at_above, known, carry_at_above);
        } else {
            known.here &= at_above.here;
            word.connect(around.above, above, known, carry_above);
        }
    }
}

template <Kind kKind, bool kCorners>
static void find_runs(const Voxels& voxels, const RowScratch& scratch, Slab& slab, int32_t* table) {
    const int ring = voxels.rows + 2;  // rows that are at hand: the row, and as far back as it is connected
    const Row empty = row_of(scratch, 0);
    clear_row<kKind>(scratch, empty);
    for (int i = 1; i <= ring; ++i) clear_row<kKind>(scratch, row_of(scratch, i));
    int32_t run = slab.first_run;
    int slot = 0;
    const auto back = [&](int rows) { return row_of(scratch, 1 + (slot >= rows ? slot - rows : slot - rows + ring)); };
    for (int z = slab.begin; z < slab.end; ++z) {
        slab.last_slice_run = run;
        const bool first = z == slab.begin;
        for (int y = 0; y < voxels.rows; ++y) {
            const Row row = back(0);
            const size_t index = static_cast<size_t>(z) * static_cast<size_t>(voxels.rows) + static_cast<size_t>(y);
            const int32_t end = read_row<kKind>(voxels, scratch, index, row, run);
            for (int32_t i = run; i < end; ++i) table[i] = i;
            if (end > run) {
                const Around around = {y == 0 ? empty : back(1), first ? empty : back(voxels.rows),
                                       first || y == 0 ? empty : back(voxels.rows + 1),
                                       first || y == voxels.rows - 1 ? empty : back(voxels.rows - 1)};
                connect_row<kKind, kCorners>(row, around, scratch.words, table);
            }
            run = end;
            slot = slot + 1 == ring ? 0 : slot + 1;
        }
    }
    slab.end_run = run;
}

template <Kind kKind, bool kCorners>
static void join_slabs(const Voxels& voxels, const RowScratch& scratch, const Slab& before, const Slab& slab,
                       int32_t* table) {
    const Row empty = row_of(scratch, 0), row = row_of(scratch, voxels.rows + 1);
    clear_row<kKind>(scratch, empty);
    for (int i = 1; i <= voxels.rows + 1; ++i) clear_row<kKind>(scratch, row_of(scratch, i));
    const size_t first = static_cast<size_t>(slab.begin) * static_cast<size_t>(voxels.rows);
    int32_t run = before.last_slice_run;
    for (int y = 0; y < voxels.rows; ++y) {
        const size_t index = first - static_cast<size_t>(voxels.rows) + static_cast<size_t>(y);
        run = read_row<kKind>(voxels, scratch, index, row_of(scratch, 1 + y), run);
    }
    run = slab.first_run;
    for (int y = 0; y < voxels.rows; ++y) {
        run = read_row<kKind>(voxels, scratch, first + static_cast<size_t>(y), row, run);
        const Around around = {empty, row_of(scratch, 1 + y), y == 0 ? empty : row_of(scratch, y),
                               y == voxels.rows - 1 ? empty : row_of(scratch, 2 + y)};
        connect_row<kKind, kCorners>(row, around, scratch.words, table);
    }
}

}  // namespace
}  // namespace spinert
