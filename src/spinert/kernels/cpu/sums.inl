// Sums of stored values and of their squares, in integers: exact, in whatever order they are taken.

namespace spinert {
namespace {

// Stored values as int16_t: those of uint16_t less 32768.
SPINERT_INLINE Lanes<int16_t> load_signed(const int16_t* from) { return load(from); }
SPINERT_INLINE Lanes<int16_t> load_signed(const uint16_t* from) {
    return bits_as<int16_t>(load(from) - all(uint16_t{0x8000}));
}
template <class Pixel>
constexpr int kBias = Pixel(-1) > 0 ? 0x8000 : 0;

// Modulo 2**64, as every sum of SliceSums.
template <class T>
SPINERT_INLINE uint64_t total_of(Lanes<T> v) {
    T lanes[Lanes<T>::kCount];
    store(v, lanes);
    uint64_t total = 0;
    for (T lane : lanes) total += static_cast<uint64_t>(lane);
    return total;
}

struct LaneSums {
    Lanes<int16_t> first, last;
    Lanes<int16_t> within = all(int16_t{0}), under = all(int16_t{0}), voxels = all(int16_t{0});
    Ints sum = all(0);
    Lanes<uint64_t> squares = all(uint64_t{0});

    // At most kFlush times between two flushes; `taken` is 0 or -1 in each lane.
    static constexpr int kFlush = 1 << 14;
    __attribute__((always_inline)) void add(Lanes<int16_t> v, Lanes<int16_t> taken) {
        const Lanes<int16_t> in = (first <= v) & (v <= last) & taken;
        within = within - in;
        under = under - ((v < first) & taken);
        voxels = voxels - taken;
        const Lanes<int16_t> kept = v & in;
        sum = sum + pair_sums(kept, all(int16_t{1}));
        const Lanes<uint64_t> pairs = bits_as<uint64_t>(pair_sums(kept, kept));  // two of up to 2**31 in each lane
        squares = squares + (pairs & all(uint64_t{0xffffffff})) + (pairs >> all(uint64_t{32}));
    }

    __attribute__((always_inline)) void flush(SliceSums& sums) {
        const uint64_t in = total_of(within), below = total_of(under);
        sums.within += in;
        sums.under += below;
        sums.over += total_of(voxels) - in - below;
        sums.sum += total_of(sum);
        sums.squares += total_of(squares);
        within = under = voxels = all(int16_t{0});
        sum = all(0);
        squares = all(uint64_t{0});
    }
};

template <class Pixel>
static void sum(const Pixel* stored, const uint8_t* mask, size_t n, Span span, SliceSums& sums) {
    constexpr size_t kBlock = Lanes<int16_t>::kCount;
    const Lanes<int16_t> none = all(int16_t{0}), every = all(int16_t{-1});
    LaneSums lanes = {all(static_cast<int16_t>(span.first - kBias<Pixel>)),
                      all(static_cast<int16_t>(span.last - kBias<Pixel>))};
    size_t i = 0;
    while (i + kBlock <= n) {
        for (int added = 0; added < LaneSums::kFlush && i + kBlock <= n; ++added, i += kBlock) {
            lanes.add(load_signed(stored + i), mask ? load_as<int16_t>(mask + i) != none : every);
        }
        lanes.flush(sums);
    }
    Pixel rest[kBlock] = {};
    uint8_t taken[kBlock] = {};
    for (size_t k = 0; i < n; ++k, ++i) {
        rest[k] = stored[i];
        taken[k] = mask ? mask[i] : 1;
    }
    lanes.add(load_signed(rest), load_as<int16_t>(taken) != none);
    lanes.flush(sums);
}

}  // namespace
}  // namespace spinert
