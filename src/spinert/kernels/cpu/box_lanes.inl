// Boxes and rotated boxes in lanes of double.

namespace spinert {
namespace {

constexpr int kLanes = Doubles::kCount;

// Box i has its values at values[i], values[stride + i] and so on.
struct BoxLanes {
    static constexpr size_t kValues = 5;
    double* values;
    size_t stride;

    __attribute__((always_inline)) void put(size_t i, const BoxOf<double>& box) const {
        const double row[kValues] = {box.left, box.top, box.right, box.bottom, box.area};
        for (size_t value = 0; value < kValues; ++value) values[value * stride + i] = row[value];
    }
    __attribute__((always_inline)) BoxOf<Doubles> at(size_t i) const {
        const double* const v = values + i;
        return {load(v), load(v + stride), load(v + 2 * stride), load(v + 3 * stride), load(v + 4 * stride)};
    }
};

SPINERT_INLINE BoxOf<Doubles> same_in_all(const BoxOf<double>& box) {
    return {all(box.left), all(box.top), all(box.right), all(box.bottom), all(box.area)};
}

// Stands in lanes that hold no box: within reach of none.
constexpr RotatedBoxOf<double> kNothing = {1e150, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0};

// As BoxLanes.
struct RotatedLanes {
    static constexpr size_t kValues = 8;
    double* values;
    size_t stride;

    __attribute__((always_inline)) void put(size_t i, const RotatedBoxOf<double>& box) const {
        const double row[kValues] = {box.x,      box.y,    box.half_width, box.half_height,
                                     box.cosine, box.sine, box.radius,     box.area};
        for (size_t value = 0; value < kValues; ++value) values[value * stride + i] = row[value];
    }
    __attribute__((always_inline)) RotatedBoxOf<Doubles> at(size_t i) const {
        const double* const v = values + i;
        return {load(v),              load(v + stride),     load(v + 2 * stride), load(v + 3 * stride),
                load(v + 4 * stride), load(v + 5 * stride), load(v + 6 * stride), load(v + 7 * stride)};
    }
};

SPINERT_INLINE RotatedBoxOf<Doubles> same_in_all(const RotatedBoxOf<double>& box) {
    return {all(box.x),      all(box.y),    all(box.half_width), all(box.half_height),
            all(box.cosine), all(box.sine), all(box.radius),     all(box.area)};
}

}  // namespace
}  // namespace spinert
