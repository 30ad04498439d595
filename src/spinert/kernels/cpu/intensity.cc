// Stored values to network input: a curve for each slice, threads, and sums, around the kernels of one ISA.
#include "intensity.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <type_traits>
#include <vector>

#include "parallel.h"

namespace spinert {
namespace {

// From here on an output is too large to be found in a cache afterwards.
constexpr size_t kStreamedBytes = size_t{16} << 20;

template <class T>
bool is_streamed(const T* out, size_t n) {
    return n * sizeof(T) >= kStreamedBytes && reinterpret_cast<uintptr_t>(out) % sizeof(T) == 0;
}

template <class Pixel>
constexpr int kLeast = std::numeric_limits<Pixel>::min();
template <class Pixel>
constexpr int kMost = std::numeric_limits<Pixel>::max();

// body(slice, begin, end) for voxels begin..end of the volume that lie in one slice; cut anywhere between threads.
template <class Pixel, class Body>
void for_slices(const StoredVolume<Pixel>& volume, int threads, const Body& body) {
    const size_t voxels = volume.rows * volume.columns;
    parallel_for(volume.slices * voxels, threads, [&](size_t, size_t begin, size_t end) {
        while (begin < end) {
            const size_t slice = begin / voxels, stop = std::min(end, (slice + 1) * voxels);
            body(slice, begin, stop);
            begin = stop;
        }
    });
}

template <class Pixel>
Span span_of(const StoredVolume<Pixel>& volume, size_t slice, double low, double high) {
    return span_of(volume.rescale(slice), low, high, kLeast<Pixel>, kMost<Pixel>);
}

template <class Pixel, class Out>
void grade(const Pixel* stored, size_t n, const Curve& curve, bool streamed, Out* out) {
    const auto& kernels = intensity::active_for<Pixel>();
    if constexpr (std::is_same_v<Out, float>) {
        kernels.to_float(stored, n, curve, streamed, out);
    } else if constexpr (std::is_same_v<Out, Half>) {
        kernels.to_half(stored, n, curve, streamed, out);
    } else {
        kernels.to_u8(stored, n, curve, streamed, out);
    }
}

struct AtomicSums {
    std::atomic<uint64_t> within{0}, under{0}, over{0}, sum{0}, squares{0};
    void add(const SliceSums& part) {
        within += part.within;
        under += part.under;
        over += part.over;
        sum += part.sum;
        squares += part.squares;
    }
    SliceSums total() const { return {within, under, over, sum, squares}; }
};

template <class Pixel>
SliceSums sum_span(const Pixel* stored, const uint8_t* mask, size_t n, Span span) {
    SliceSums sums = {};
    const auto add = [&](Span whole) { intensity::active_for<Pixel>().sum(stored, mask, n, whole, sums); };
    if (span.first <= span.last) {
        add(span);
        return sums;
    }
    // no value lies within: those before the first are under, the others over
    if (span.first == kLeast<Pixel>) {
        add({kLeast<Pixel>, kMost<Pixel>});
        return {0, 0, sums.within, 0, 0};
    }
    add({kLeast<Pixel>, span.last});
    return {0, sums.within, sums.over, 0, 0};
}

// Integers add up to the same total in whatever order the threads come.
template <class Pixel>
std::unique_ptr<AtomicSums[]> sum_slices(const StoredVolume<Pixel>& volume, double low, double high,
                                         const uint8_t* mask, int threads) {
    std::unique_ptr<AtomicSums[]> sums(new AtomicSums[volume.slices]);
    for_slices(volume, threads, [&](size_t slice, size_t begin, size_t end) {
        const Span span = span_of(volume, slice, low, high);
        sums[slice].add(sum_span(volume.stored + begin, mask ? mask + begin : nullptr, end - begin, span));
    });
    return sums;
}

// From the first to behind the last of slices, rows and columns; begin is beyond end where there is none.
struct Box {
    int64_t begin[3], end[3] = {0, 0, 0};

    explicit Box(int64_t columns) : begin{INT64_MAX, INT64_MAX, columns} {}

    void include(int axis, int64_t first, int64_t stop) {
        begin[axis] = std::min(begin[axis], first);
        end[axis] = std::max(end[axis], stop);
    }
    // Only what lies beyond the columns so far is searched value by value.
    template <class Contains>
    void take_row(int64_t slice, int64_t row, int64_t width, const Contains& contains) {
        const bool left = contains(0, begin[2]), right = contains(end[2], width);
        if (!left && !right && !contains(begin[2], end[2])) return;
        include(0, slice, slice + 1);
        include(1, row, row + 1);
        int64_t first = left ? 0 : begin[2], stop = right ? width : end[2];
        while (left && !contains(first, first + 1)) ++first;
        while (right && !contains(stop - 1, stop)) --stop;
        include(2, first, stop);
    }
    void join(const Box& other) {
        for (int axis = 0; axis < 3; ++axis) include(axis, other.begin[axis], other.end[axis]);
    }
};

}  // namespace

template <class Pixel, class Out>
void rescale_hu(StoredVolume<Pixel> volume, const Grading& grading, Out* out, int threads) {
    constexpr bool whole = std::is_same_v<Out, uint8_t>;
    const bool streamed = is_streamed(out, volume.slices * volume.rows * volume.columns);
    for_slices(volume, threads, [&](size_t slice, size_t begin, size_t end) {
        const Curve curve = curve_of(volume.rescale(slice), grading, kLeast<Pixel>, kMost<Pixel>, whole);
        grade(volume.stored + begin, end - begin, curve, streamed, out + begin);
    });
}

template <class Pixel, class Out>
void zscore_hu(StoredVolume<Pixel> volume, double low, double high, const uint8_t* mask, double* moments, Out* out,
               int threads) {
    const std::unique_ptr<AtomicSums[]> sums = sum_slices(volume, low, high, mask, threads);
    const auto total_hu = [&](double mean) {
        SliceHu total = {0.0, 0.0, 0.0};
        for (size_t i = 0; i < volume.slices; ++i) {
            add_to(total, hu_of_slice(sums[i].total(), bias_of(kLeast<Pixel>), volume.rescale(i), low, high, mean));
        }
        return total;
    };
    const SliceHu first = total_hu(0.0);
    const double mean = first.sum / first.voxels;  // nan without voxels
    const double deviation = std::sqrt(total_hu(mean).squares / first.voxels);
    moments[0] = first.voxels;
    moments[1] = mean;
    moments[2] = deviation;
    if (deviation > 0.0) return rescale_hu(volume, {low, high, mean, 1.0 / deviation, 0.0f, false}, out, threads);
    std::memset(out, 0, volume.slices * volume.rows * volume.columns * sizeof(Out));
}

template <class Pixel>
void threshold_mask(StoredVolume<Pixel> volume, double low, double high, uint8_t* mask, int64_t* box, int threads) {
    constexpr size_t kChunk = 4096;  // values that are in the nearest cache still when their rows are looked at again
    const auto& kernels = intensity::active_for<Pixel>();
    const size_t rows = volume.rows, columns = volume.columns;
    const size_t rows_at_once = std::max<size_t>(1, kChunk / std::max<size_t>(1, columns));
    const bool streamed = is_streamed(mask, volume.slices * rows * columns);
    const size_t parts = std::max<size_t>(1, std::min(volume.slices * rows, static_cast<size_t>(threads)));
    std::vector<Box> boxes(parts, Box(static_cast<int64_t>(columns)));
    parallel_for(volume.slices * rows, threads, [&](size_t part, size_t begin, size_t end) {
        Box own(static_cast<int64_t>(columns));
        while (begin < end) {
            const size_t slice = begin / rows, stop = std::min({end, (slice + 1) * rows, begin + rows_at_once});
            const Span span = span_of(volume, slice, low, high);
            const Pixel* stored = volume.stored + begin * columns;
            if (!kernels.mask(stored, (stop - begin) * columns, span, streamed, mask + begin * columns)) begin = stop;
            for (; begin < stop; ++begin, stored += columns) {
                own.take_row(static_cast<int64_t>(slice), static_cast<int64_t>(begin % rows),
                             static_cast<int64_t>(columns), [&](int64_t first, int64_t last) {
                                 return first < last &&
                                        kernels.contains(stored + first, static_cast<size_t>(last - first), span);
                             });
            }
        }
        boxes[part] = own;
    });
    Box all(static_cast<int64_t>(columns));
    for (const Box& part : boxes) all.join(part);
    for (int axis = 0; axis < 3; ++axis) {
        box[2 * axis] = all.end[0] > 0 ? all.begin[axis] : 0;
        box[2 * axis + 1] = all.end[0] > 0 ? all.end[axis] : 0;
    }
}

#define SPINERT_FOR(Pixel, Out)                                                           \
    template void rescale_hu<Pixel, Out>(StoredVolume<Pixel>, const Grading&, Out*, int); \
    template void zscore_hu<Pixel, Out>(StoredVolume<Pixel>, double, double, const uint8_t*, double*, Out*, int);
SPINERT_FOR(int16_t, float)
SPINERT_FOR(int16_t, Half)
SPINERT_FOR(uint16_t, float)
SPINERT_FOR(uint16_t, Half)
template void rescale_hu<int16_t, uint8_t>(StoredVolume<int16_t>, const Grading&, uint8_t*, int);
template void rescale_hu<uint16_t, uint8_t>(StoredVolume<uint16_t>, const Grading&, uint8_t*, int);
template void threshold_mask<int16_t>(StoredVolume<int16_t>, double, double, uint8_t*, int64_t*, int);
template void threshold_mask<uint16_t>(StoredVolume<uint16_t>, double, double, uint8_t*, int64_t*, int);

}  // namespace spinert
