// Stored values to graded ones.

namespace spinert {
namespace {

template <class Pixel, bool kFilled>
struct Grades {
    Ints centre, first, last;
    Floats gain, offset, lowest, highest, outside;

    explicit Grades(const Curve& curve)
        : centre(all(curve.line.centre)),
          first(all(curve.span.first - curve.line.centre)),
          last(all(curve.span.last - curve.line.centre)),
          gain(all(curve.line.gain)),
          offset(all(curve.line.offset)),
          lowest(all(curve.lowest)),
          highest(all(curve.highest)),
          outside(all(curve.outside)) {}

    __attribute__((always_inline)) Floats floats(const Pixel* stored) const {
        const Ints from_centre = load_as<int32_t>(stored) - centre;
        Floats v = values_as<float>(from_centre) * gain + offset;
        v = select(v > lowest, v, lowest);
        v = select(v < highest, v, highest);
        if constexpr (kFilled) v = select((first <= from_centre) & (from_centre <= last), v, outside);
        return v;
    }
};

template <class Pixel, bool kFilled>
struct ToFloat : Grades<Pixel, kFilled> {
    using Grades<Pixel, kFilled>::Grades;
    __attribute__((always_inline)) Floats block(const Pixel* stored) const { return this->floats(stored); }
};

template <class Pixel, bool kFilled>
struct ToHalf : Grades<Pixel, kFilled> {
    using Grades<Pixel, kFilled>::Grades;
    __attribute__((always_inline)) Lanes<uint16_t> block(const Pixel* stored) const {
        return to_halves(this->floats(stored), this->floats(stored + 16));
    }
};

// The curve has 1/2 more than the whole number that its value is cut to.
template <class Pixel, bool kFilled>
struct ToU8 : Grades<Pixel, kFilled> {
    using Grades<Pixel, kFilled>::Grades;
    __attribute__((always_inline)) Lanes<uint16_t> words(const Pixel* stored) const {
        const Ints a = values_as<int32_t>(this->floats(stored)), b = values_as<int32_t>(this->floats(stored + 16));
        return packed(a, b);
    }
    __attribute__((always_inline)) Lanes<uint8_t> block(const Pixel* stored) const {
        return packed(words(stored), words(stored + 32));
    }
};

template <template <class, bool> class To, class Pixel, class Out>
SPINERT_INLINE void grade_to(const Pixel* stored, size_t n, const Curve& curve, bool streamed, Out* out) {
    if (curve.filled) {
        const To<Pixel, true> map(curve);
        streamed ? map_blocks<true>(stored, n, out, map) : map_blocks<false>(stored, n, out, map);
    } else {
        const To<Pixel, false> map(curve);
        streamed ? map_blocks<true>(stored, n, out, map) : map_blocks<false>(stored, n, out, map);
    }
}

template <class Pixel, class Out>
static void grade(const Pixel* stored, size_t n, const Curve& curve, bool streamed, Out* out) {
    if constexpr (sizeof(Out) == 4) {
        grade_to<ToFloat>(stored, n, curve, streamed, out);
    } else if constexpr (sizeof(Out) == 2) {
        grade_to<ToHalf>(stored, n, curve, streamed, &out->bits);
    } else {
        grade_to<ToU8>(stored, n, curve, streamed, out);
    }
}

}  // namespace
}  // namespace spinert
