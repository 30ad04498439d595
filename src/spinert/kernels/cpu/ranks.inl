// Counting for exact order statistics: how many pixels lie below two brackets of values, and a histogram of those
// within. The brackets are narrow, so that most blocks of pixels are counted by comparisons alone.

namespace spinert {
namespace {

template <class Pixel>
struct BracketLanes {
    Lanes<Pixel> low, span;  // low .. low + span
    Lanes<Pixel> below, within;

    // Counts lane by lane, at most 255 times between two flushes; returns which lanes lie within.
    __attribute__((always_inline)) Lanes<Pixel> count(Lanes<Pixel> v) {
        const Lanes<Pixel> in = v - low <= span;  // unsigned: a value under low wraps round to far above span
        below = below - (v < low);
        within = within - in;
        return in;
    }

    __attribute__((always_inline)) void flush(uint64_t& total_below, uint64_t& total_within) {
        Pixel lanes[Lanes<Pixel>::kCount];
        store(below, lanes);
        for (Pixel lane : lanes) total_below += lane;
        store(within, lanes);
        for (Pixel lane : lanes) total_within += lane;
        below = within = all(Pixel{0});
    }
};

template <class Pixel>
static void count_brackets(const Pixel* pixels, size_t n, Bracket* brackets, uint32_t* histogram) {
    constexpr int kBlock = Lanes<Pixel>::kCount;
    constexpr int kFlush = 255;
    const auto lanes_of = [](const Bracket& b) {
        const Lanes<Pixel> low = all(static_cast<Pixel>(b.low)), span = all(static_cast<Pixel>(b.high - b.low));
        return BracketLanes<Pixel>{low, span, all(Pixel{0}), all(Pixel{0})};
    };
    BracketLanes<Pixel> a = lanes_of(brackets[0]), b = lanes_of(brackets[1]);
    // a bracket of one value needs no histogram
    const Lanes<Pixel> wide_a = all(static_cast<Pixel>(brackets[0].low < brackets[0].high ? -1 : 0));
    const Lanes<Pixel> wide_b = all(static_cast<Pixel>(brackets[1].low < brackets[1].high ? -1 : 0));

    size_t i = 0;
    for (int counted = 0; i + kBlock <= n; i += kBlock) {
        const Lanes<Pixel> v = load(pixels + i);
        const Lanes<Pixel> wanted = (a.count(v) & wide_a) | (b.count(v) & wide_b);
        if (any(wanted)) {
            Pixel in[kBlock];
            store(wanted, in);
            // pixels of no interest go to entries of their own, spread so that none waits for another
            for (int k = 0; k < kBlock; ++k) ++histogram[in[k] ? pixels[i + k] : kLevels<Pixel> + k];
        }
        if (++counted == kFlush) {
            a.flush(brackets[0].below, brackets[0].within);
            b.flush(brackets[1].below, brackets[1].within);
            counted = 0;
        }
    }
    a.flush(brackets[0].below, brackets[0].within);
    b.flush(brackets[1].below, brackets[1].within);
    for (; i < n; ++i) {
        const int v = pixels[i];
        ++histogram[v];
        for (Bracket* bracket = brackets; bracket < brackets + 2; ++bracket) {
            bracket->below += v < bracket->low;
            bracket->within += v >= bracket->low && v <= bracket->high;
        }
    }
}

}  // namespace
}  // namespace spinert
