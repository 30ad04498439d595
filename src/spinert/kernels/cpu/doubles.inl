// Eight doubles at a time.

namespace spinert {
namespace {

using Doubles = Lanes<double>;
constexpr int kDoubles = Doubles::kCount;

// In one fixed order.
SPINERT_INLINE double total(Doubles v) {
    double lane[kDoubles];
    store(v, lane);
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

// `yes` where the mask is set, else `no`.
SPINERT_INLINE Register<double> choose(Register<double> mask, Register<double> yes, Register<double> no) {
    return {bits_as<int64_t>(mask).lanes ? yes.lanes : no.lanes};
}
template <int kBytes>
SPINERT_INLINE Lanes<double, kBytes> choose(Lanes<double, kBytes> mask, Lanes<double, kBytes> yes,
                                            Lanes<double, kBytes> no) {
    return {choose(mask.low, yes.low, no.low), choose(mask.high, yes.high, no.high)};
}

// The value where the mask is set, else 0.
SPINERT_INLINE Doubles where(Doubles mask, Doubles value) { return choose(mask, value, all(0.0)); }

SPINERT_INLINE void store_part(Doubles v, size_t count, double* to) {
    double lane[kDoubles];
    store(v, lane);
    for (size_t i = 0; i < count; ++i) to[i] = lane[i];
}

}  // namespace
}  // namespace spinert
