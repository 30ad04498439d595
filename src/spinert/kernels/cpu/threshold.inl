// Which stored values lie within a span.

namespace spinert {
namespace {

// Unsigned and counted from the first value: what lies below it wraps round to far above the width of the span.
template <class Pixel>
struct Within {
    Lanes<uint16_t> first, width, found = all(uint16_t{0});

    explicit Within(Span span)
        : first(all(static_cast<uint16_t>(span.first))),
          width(all(static_cast<uint16_t>(span.last - span.first))) {}

    __attribute__((always_inline)) Lanes<uint16_t> lanes(const Pixel* stored) const {
        return bits_as<uint16_t>(load(stored)) - first <= width;
    }
    __attribute__((always_inline)) Lanes<uint8_t> block(const Pixel* stored) {
        const Lanes<uint16_t> one = all(uint16_t{1}), a = lanes(stored) & one, b = lanes(stored + 32) & one;
        found = found | a | b;
        return packed(a, b);
    }
};

template <class Pixel>
static bool mask_of_span(const Pixel* stored, size_t n, Span span, bool streamed, uint8_t* mask) {
    if (span.last < span.first) {
        __builtin_memset(mask, 0, n);
        return false;
    }
    Within<Pixel> within(span);
    streamed ? map_blocks<true>(stored, n, mask, within) : map_blocks<false>(stored, n, mask, within);
    return any(within.found);
}

template <class Pixel>
static bool contains(const Pixel* stored, size_t n, Span span) {
    constexpr size_t kBlock = Lanes<Pixel>::kCount;
    if (span.last < span.first) return false;
    if (n < kBlock) {
        for (size_t i = 0; i < n; ++i) {
            if (span.first <= stored[i] && stored[i] <= span.last) return true;
        }
        return false;
    }
    const Within<Pixel> within(span);
    Lanes<uint16_t> found = within.lanes(stored + n - kBlock);  // may be looked at twice
    for (size_t i = 0; i + kBlock < n; i += kBlock) found = found | within.lanes(stored + i);
    return any(found);
}

}  // namespace
}  // namespace spinert
