// The borders of a mask, row by row, and the lines in their middle.
#include "midlines.h"

#include "../math/borders.h"
#include "lanes.inl"

namespace spinert {
namespace {

constexpr size_t kBytes = 64;

SPINERT_INLINE bool any_set(const uint8_t* bytes) { return any(load(bytes)); }

// Columns of the first and last byte that is not 0; -1 and -1 where there is none.
struct Span {
    int64_t first, last;
};
SPINERT_INLINE Span span_of(const uint8_t* row, size_t columns) {
    size_t first = 0, last = columns;
    while (first + kBytes <= columns && !any_set(row + first)) first += kBytes;
    while (first < columns && row[first] == 0) ++first;
    if (first == columns) return {-1, -1};
    while (last >= first + kBytes && !any_set(row + last - kBytes)) last -= kBytes;
    while (row[last - 1] == 0) --last;
    return {static_cast<int64_t>(first), static_cast<int64_t>(last - 1)};
}

static void midline(MaskImage mask, double* midline, double* borders) {
    for (size_t row = 0; row < mask.rows; ++row) {
        const Span span = span_of(mask.values + row * mask.columns, mask.columns);
        const bool found = span.first >= 0;
        const double left = found ? static_cast<double>(span.first) : __builtin_nan("");
        const double right = found ? static_cast<double>(span.last) : __builtin_nan("");
        borders[2 * row] = left;
        borders[2 * row + 1] = right;
        midline[row] = 0.5 * (left + right);
    }
}

static void midpoints(const double* borders, size_t rows, size_t begin, size_t end, double* midpoints) {
    for (size_t from = 0; from < 2; ++from) {
        for (size_t row = begin; row < end; ++row) {
            write_midpoint(borders, static_cast<int64_t>(rows), static_cast<int64_t>(row), static_cast<int>(from),
                           midpoints + 2 * (from * rows + row));
        }
    }
}

}  // namespace
}  // namespace spinert

namespace spinert::midlines {
namespace {

constexpr Kernels kTable = {midline, midpoints};

}  // namespace
}  // namespace spinert::midlines
