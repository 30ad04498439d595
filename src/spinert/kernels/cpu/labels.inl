// The table of runs to labels, and labels to other labels.

namespace spinert {
namespace {

static int32_t number_runs(const Slab& slab, int32_t count, int32_t* table) {
    for (int32_t run = slab.first_run; run < slab.end_run; ++run) {
        const int32_t parent = table[run], of_parent = table[parent];  // its label, as it came before; or itself
        const int32_t root = parent == run;
        count += root;
        table[run] = of_parent + (count - of_parent) * root;  // no branch: among noise it would be a toss of a coin
    }
    return count;
}

// Which run each of 8 voxels belongs to, by the bits where runs start: 0 for that of the first voxel, then 1, 2 ...
struct Ranks {
    uint8_t of[256][8];
};
constexpr Ranks make_ranks() {
    Ranks ranks = {};
    for (int starts = 0; starts < 256; ++starts) {
        for (int i = 0, rank = 0; i < 8; ++i) {
            rank += i > 0 ? starts >> i & 1 : 0;
            ranks.of[starts][i] = static_cast<uint8_t>(rank);
        }
    }
    return ranks;
}
constexpr Ranks kRanks = make_ranks();

// Labels of 8 voxels: 0 where `bits` is not set, else that of its run; runs [8] begin with that of the first.
SPINERT_INLINE void write_group(const int32_t* runs, const uint8_t* ranks, unsigned bits, int32_t* out) {
#ifdef __AVX2__
    const __m256i rank = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(ranks)));
    const __m256i labels = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(runs));
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256i set = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32(static_cast<int>(bits)), bit), bit);
    const __m256i values = _mm256_and_si256(_mm256_permutevar8x32_epi32(labels, rank), set);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), values);
#else
    if (ranks[7] == 0 && (bits == 0 || bits == 255)) {  // all of one run, or of none
        const int32_t label = bits ? runs[0] : 0;
        for (int i = 0; i < 8; ++i) out[i] = label;
        return;
    }
    for (int i = 0; i < 8; ++i) out[i] = runs[ranks[i]] & -static_cast<int32_t>(bits >> i & 1);
#endif
}

// Labels of up to 64 voxels. `runs` begin with the one before these voxels; returns them from the last of these on.
SPINERT_INLINE const int32_t* write_word(uint64_t starts, uint64_t bits, int count, const int32_t* runs, int32_t* out) {
    if (count == 64 && starts == 0 && (bits == 0 || ~bits == 0)) {
        const Ints label = all(bits ? runs[0] : 0);
        for (int i = 0; i < 64; i += 16) store(label, out + i);
        return runs;
    }
    for (; count >= 8; count -= 8, starts >>= 8, bits >>= 8, out += 8) {
        const uint8_t* ranks = kRanks.of[starts & 255];
        runs += starts & 1;
        write_group(runs, ranks, static_cast<unsigned>(bits & 255), out);
        runs += ranks[7];
    }
    if (count > 0) {
        const uint8_t* ranks = kRanks.of[starts & 255];
        runs += starts & 1;
        int32_t last[8];
        write_group(runs, ranks, static_cast<unsigned>(bits & 255), last);
        for (int i = 0; i < count; ++i) out[i] = last[i];
        runs += ranks[7];
    }
    return runs;
}

// Processors fetch ahead of ascending accesses; these descend.
SPINERT_INLINE void prefetch_before(const uint8_t* values, const int32_t* labels, size_t place) {
    constexpr size_t kAhead = 1024;
    if (place < kAhead) return;
    __builtin_prefetch(values + place - kAhead);
    for (size_t i = 0; i < 64; i += 16) __builtin_prefetch(labels + place - kAhead + i, 1);
}

// From the last row to the first: the labels of a row are written over entries of the table that belong to this row,
// of which `line` holds a copy, or to rows after it.
template <Kind kKind>
static void write_labels(const Voxels& voxels, const RowScratch& scratch, const Slab& slab, int32_t* line,
                         int32_t* labels) {
    const size_t columns = static_cast<size_t>(voxels.columns), rows = static_cast<size_t>(voxels.rows);
    const Row row = row_of(scratch, 0);
    clear_row<kKind>(scratch, row);
    int32_t end = slab.end_run;
    for (size_t index = static_cast<size_t>(slab.end) * rows; index-- > static_cast<size_t>(slab.begin) * rows;) {
        const int32_t runs = read_row<kKind>(voxels, scratch, index, row, 0);
        end -= runs;
        for (int32_t i = 0; i < runs; ++i) line[1 + i] = labels[end + i];
        const int32_t* next = line;
        for (int w = 0; w < scratch.words; ++w) {
            const size_t place = index * columns + 64 * static_cast<size_t>(w);
            int32_t* const out = labels + place;
            prefetch_before(voxels.values, labels, place);
            next = write_word(row.starts[w], row.bits[w], smaller(64, voxels.columns - 64 * w), next, out);
        }
    }
}

// out[begin .. end) = value, and as much beyond as is still below `limit`: what follows is written later.
SPINERT_INLINE void fill(int32_t* out, size_t begin, size_t end, size_t limit, int32_t value) {
    const Ints lanes = all(value);
    for (; begin < end && begin + 16 <= limit; begin += 16) store(lanes, out + begin);
    for (; begin < end; ++begin) out[begin] = value;
}

// f(begin, end, label) for each stretch of equal labels, in their order.
template <class F>
SPINERT_INLINE void for_each_stretch(const int32_t* labels, size_t n, const F& f) {
    if (n == 0) return;
    size_t begin = 0, i = 1;
    const auto take = [&](size_t place) __attribute__((always_inline)) {
        f(begin, place, labels[begin]);
        begin = place;
    };
    for (; i + 64 <= n; i += 64) {
        for (uint64_t left = differing_bits(labels + i, labels + i - 1); left != 0; left &= left - 1) {
            take(i + static_cast<size_t>(lowest_bit(left)));
        }
    }
    for (; i < n; ++i) {
        if (labels[i] != labels[i - 1]) take(i);
    }
    take(n);
}

static void relabel(const int32_t* labels, size_t n, const int32_t* table, size_t count, int32_t* out) {
    for_each_stretch(labels, n, [&](size_t begin, size_t end, int32_t label) __attribute__((always_inline)) {
        const size_t i = static_cast<size_t>(label) - 1;  // background lies far above count
        fill(out, begin, end, n, i < count ? table[i] : 0);
    });
}

}  // namespace
}  // namespace spinert
