// Rows of voxels as bits, 64 to a word: foreground, and where runs of voxels of one kind start.
#include "bits.inl"

namespace spinert {
namespace {

// One row of a RowScratch.
struct Row {
    uint64_t *bits, *starts;
    int32_t* rank;
    uint8_t* values;
};

SPINERT_INLINE Row row_of(const RowScratch& scratch, int i) {
    const size_t k = static_cast<size_t>(i), words = static_cast<size_t>(scratch.words);
    return {scratch.bits + k * (words + 2) + 1, scratch.starts + k * (words + 1), scratch.rank + k * words,
            scratch.values ? scratch.values + k * (64 * words + 2 * RowScratch::kPad) + RowScratch::kPad : nullptr};
}

template <Kind kKind>
SPINERT_INLINE void clear_row(const RowScratch& scratch, const Row& row) {
    for (int w = -1; w <= scratch.words; ++w) row.bits[w] = 0;
    for (int w = 0; w <= scratch.words; ++w) row.starts[w] = 0;
    for (int w = 0; w < scratch.words; ++w) row.rank[w] = 0;
    if (kKind == Kind::classes) {
        const int bytes = 64 * scratch.words + 2 * RowScratch::kPad;
        __builtin_memset(row.values - RowScratch::kPad, 0, static_cast<size_t>(bytes));
    }
}

// Foreground of up to 64 voxels; `left` are left in the whole volume.
SPINERT_INLINE uint64_t foreground(const uint8_t* values, int count, size_t left) {
    if (count == 64) return nonzero_bits(values);
    uint64_t bits;
    if (left >= 64) {
        bits = nonzero_bits(values);
    } else {
        uint8_t part[64] = {};
        __builtin_memcpy(part, values, static_cast<size_t>(count));
        bits = nonzero_bits(part);
    }
    return bits & ((uint64_t{1} << count) - 1);
}

// Reads row `index` of all, whose runs are numbered from `run` on; returns the number after its last.
template <Kind kKind>
SPINERT_INLINE int32_t read_row(const Voxels& voxels, const RowScratch& scratch, size_t index, const Row& row,
                                int32_t run) {
    const size_t columns = static_cast<size_t>(voxels.columns);
    const size_t total = static_cast<size_t>(voxels.slices) * static_cast<size_t>(voxels.rows) * columns;
    const uint8_t* values = voxels.values + index * columns;
    if (kKind == Kind::classes) __builtin_memcpy(row.values, values, columns);
    for (int w = 0; w < scratch.words; ++w) {
        const int count = smaller(64, voxels.columns - 64 * w);
        uint64_t bits, starts;
        if (kKind == Kind::mask) {
            bits = foreground(values + 64 * w, count, total - index * columns - 64 * static_cast<size_t>(w));
            starts = bits & ~(bits << 1 | row.bits[w - 1] >> 63);
        } else {
            bits = nonzero_bits(row.values + 64 * w);
            starts = bits & differing_bits(row.values + 64 * w, row.values + 64 * w - 1);
        }
        row.bits[w] = bits;
        row.starts[w] = starts;
        row.rank[w] = run;
        run += count_bits(starts);
    }
    return run;
}

}  // namespace
}  // namespace spinert
