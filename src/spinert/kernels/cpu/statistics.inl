// Sums over the stretches of a label in a row.

namespace spinert {
namespace {

// Integers are exact in any order; floats go to 8 sums of double, the same for every instruction set.
SPINERT_INLINE int64_t sum_of(const int16_t* values, size_t n) {
    int64_t sum = 0;
    for (size_t i = 0; i < n; ++i) sum += values[i];
    return sum;
}
SPINERT_INLINE int64_t sum_of(const uint16_t* values, size_t n) {
    int64_t sum = 0;
    for (size_t i = 0; i < n; ++i) sum += values[i];
    return sum;
}
SPINERT_INLINE double sum_of(const float* values, size_t n) {
    double sum = 0.0;
    size_t i = 0;
    if (n >= 16) {
        Sums sums;
        for (; i + 16 <= n; i += 16) sums.add(load(values + i));
        sum = sums.total();
    }
    for (; i < n; ++i) sum += static_cast<double>(values[i]);
    return sum;
}

SPINERT_INLINE void widen(int32_t* box, int axes, int axis, size_t begin, size_t end) {
    const auto low = static_cast<int32_t>(begin), high = static_cast<int32_t>(end);
    if (low < box[axis]) box[axis] = low;
    if (high > box[axes + axis]) box[axes + axis] = high;
}

template <int kAxes, class Value, class Sum>
SPINERT_INLINE void add_rows_of(const Labels& labels, const Value* values, Sum* sums, size_t begin, size_t end,
                                const Moments& moments) {
    const size_t columns = static_cast<size_t>(labels.columns), rows = static_cast<size_t>(labels.rows);
    for (size_t row = begin; row < end; ++row) {
        const size_t z = row / rows, y = row % rows;
        const int32_t* const first = labels.labels + row * columns;
        for_each_stretch(first, columns, [&](size_t x, size_t x_end, int32_t label) __attribute__((always_inline)) {
            const size_t i = static_cast<size_t>(label) - 1;  // background lies far above count
            if (i >= moments.count) return;
            const size_t n = x_end - x;
            moments.voxels[i] += static_cast<int64_t>(n);
            int32_t* const box = moments.boxes + 2 * kAxes * i;
            int64_t* const moment = moments.moments + kAxes * i;
            widen(box, kAxes, 0, x, x_end);
            widen(box, kAxes, 1, y, y + 1);
            moment[0] += static_cast<int64_t>(n * (x + x_end - 1) / 2);
            moment[1] += static_cast<int64_t>(n * y);
            if (kAxes == 3) {
                widen(box, kAxes, 2, z, z + 1);
                moment[2] += static_cast<int64_t>(n * z);
            }
            if (values) sums[i] += sum_of(values + row * columns + x, n);
        });
    }
}

template <int kAxes>
SPINERT_INLINE void add_rows_in(const Labels& labels, const Stored& stored, size_t begin, size_t end,
                                const Moments& moments) {
    if (stored.signed16) return add_rows_of<kAxes>(labels, stored.signed16, moments.whole, begin, end, moments);
    if (stored.unsigned16) return add_rows_of<kAxes>(labels, stored.unsigned16, moments.whole, begin, end, moments);
    add_rows_of<kAxes>(labels, stored.floats, moments.floats, begin, end, moments);
}

static void add_rows(const Labels& labels, const Stored& stored, size_t begin, size_t end, const Moments& moments) {
    (moments.axes == 3 ? add_rows_in<3> : add_rows_in<2>)(labels, stored, begin, end, moments);
}

}  // namespace
}  // namespace spinert
