// Order statistics and windowed resize: tables of weights, scratch and threads around the kernels of one ISA.
#include "radiograph.h"

#include <cmath>
#include <utility>
#include <vector>

#include "../math/resize_weights.h"
#include "parallel.h"

namespace spinert {
namespace {

// Memory of the size of a histogram is small beside an image, one for each of many threads is not; and so many are
// as fast as memory.
constexpr size_t kMostCounting = 3;

template <class Pixel>
struct Counts {
    Bracket brackets[2];
    std::vector<uint32_t> histogram;
};

template <class Pixel, class Count>
Counts<Pixel> count_all(Radiograph<Pixel> image, const Bracket (&brackets)[2], int threads, const Count& count) {
    const size_t n = static_cast<size_t>(image.rows) * image.columns;
    const size_t counting = std::min({n, static_cast<size_t>(threads), kMostCounting});
    std::vector<Counts<Pixel>> parts(counting);
    for (Counts<Pixel>& part : parts) {
        part = {{brackets[0], brackets[1]}, std::vector<uint32_t>(kHistogram<Pixel>)};
    }
    parallel_for(n, static_cast<int>(counting), [&](size_t part, size_t begin, size_t end) {
        count(image.pixels + begin, end - begin, parts[part].brackets, parts[part].histogram.data());
    });
    Counts<Pixel>& total = parts[0];
    for (size_t part = 1; part < counting; ++part) {
        for (int k = 0; k < 2; ++k) {
            total.brackets[k].below += parts[part].brackets[k].below;
            total.brackets[k].within += parts[part].brackets[k].within;
        }
        for (int value = 0; value < kLevels<Pixel>; ++value) total.histogram[value] += parts[part].histogram[value];
    }
    return std::move(total);
}

// The two brackets that hold the wanted ranks if the sample, every kStride-th pixel, is like the image: the values at
// the same rank of the sample, kMargin ranks lower and higher.
template <class Pixel>
void guess_brackets(Radiograph<Pixel> image, const uint64_t (&ranks)[2], Bracket (&brackets)[2]) {
    constexpr size_t kStride = 61;  // prime, so that it meets every column
    const size_t n = static_cast<size_t>(image.rows) * image.columns;
    std::vector<uint32_t> histogram(kLevels<Pixel>);
    for (size_t i = 0; i < n; i += kStride) ++histogram[image.pixels[i]];
    const double sampled = static_cast<double>((n + kStride - 1) / kStride);
    for (int k = 0; k < 2; ++k) {
        const double share = static_cast<double>(ranks[k]) / static_cast<double>(n);
        const double margin = 5.0 * std::sqrt(sampled * share * (1.0 - share)) + 2.0;  // five standard deviations
        const double first = share * sampled - margin, last = share * sampled + margin;
        double below = 0.0;
        int value = 0;
        while (value < kLevels<Pixel> - 1 && below + histogram[value] < first) below += histogram[value++];
        brackets[k].low = value;
        while (value < kLevels<Pixel> - 1 && below + histogram[value] < last) below += histogram[value++];
        brackets[k].high = value;
    }
}

// The value of this rank, -1 where the bracket does not hold it.
int find_rank(const Bracket& bracket, const uint32_t* histogram, uint64_t rank) {
    if (rank <= bracket.below || rank > bracket.below + bracket.within) return -1;
    if (bracket.low == bracket.high) return bracket.low;
    int value = bracket.low;
    for (uint64_t below = bracket.below; below + histogram[value] < rank; ++value) below += histogram[value];
    return value;
}

// Exact whatever the sample says: a bracket that does not hold its rank gives way to one with every value.
template <class Pixel, class Count>
Ranked find_ranks(Radiograph<Pixel> image, const uint64_t (&ranks)[2], int threads, const Count& count) {
    Bracket brackets[2] = {};
    guess_brackets(image, ranks, brackets);
    for (;;) {
        const Counts<Pixel> counts = count_all(image, brackets, threads, count);
        int found[2];
        for (int k = 0; k < 2; ++k) {
            found[k] = find_rank(counts.brackets[k], counts.histogram.data(), ranks[k]);
            if (found[k] < 0) brackets[k] = {0, kLevels<Pixel> - 1, 0, 0};
        }
        if (found[0] >= 0 && found[1] >= 0) return {found[0], found[1]};
    }
}

struct Taps {
    std::vector<int32_t> first;
    std::vector<float> weights;
    int taps;
    Axis axis() const { return {first.data(), weights.data(), taps}; }
};

// As many taps for each output as a multiple of `multiple` needs; those beyond the span weigh nothing.
Taps make_taps(int inputs, int outputs, int multiple) {
    const int taps = (resize_taps(inputs, outputs) + multiple - 1) / multiple * multiple;
    Taps result = {std::vector<int32_t>(outputs), std::vector<float>(static_cast<size_t>(outputs) * taps), taps};
    for (int i = 0; i < outputs; ++i) {
        result.first[i] = resize_first(i, inputs, outputs);
        float* const weights = result.weights.data() + static_cast<size_t>(i) * taps;
        for (int tap = 0; tap < taps; ++tap) weights[tap] = resize_weight(i, tap, inputs, outputs);
    }
    return result;
}

void clear_padding(Placement place, int height, int width, float* out) {
    const auto clear = [&](int y, int begin, int end) {
        std::fill(out + static_cast<size_t>(y) * width + begin, out + static_cast<size_t>(y) * width + end, 0.0f);
    };
    for (int y = 0; y < height; ++y) {
        if (y < place.top || y >= place.top + place.rows) {
            clear(y, 0, width);
        } else {
            clear(y, 0, place.left);
            clear(y, place.left + place.columns, width);
        }
    }
}

template <class Pixel, class Resize>
void run_resize(Radiograph<Pixel> image, Window window, Placement place, int height, int width, float* out,
                int threads, Resize resize) {
    clear_padding(place, height, width, out);
    const Taps rows = make_taps(image.rows, place.rows, 4);
    const Taps columns = make_taps(image.columns, place.columns, 1);
    float* first = out + static_cast<size_t>(place.top) * width + place.left;
    const ResizeJob<Pixel> job = {image, window, rows.axis(), columns.axis(), place.columns, first, width};
    const size_t line = static_cast<size_t>(image.columns) + columns.taps;
    std::vector<float> lines(line * static_cast<size_t>(std::min(threads, place.rows)));
    parallel_for(static_cast<size_t>(place.rows), threads, [&](size_t part, size_t begin, size_t end) {
        resize(job, static_cast<int>(begin), static_cast<int>(end), lines.data() + part * line);
    });
}

}  // namespace

Ranked order_statistics(Radiograph<uint8_t> image, uint64_t rank_low, uint64_t rank_high, int threads) {
    return find_ranks(image, {rank_low, rank_high}, threads, radiograph::active().count_u8);
}

Ranked order_statistics(Radiograph<uint16_t> image, uint64_t rank_low, uint64_t rank_high, int threads) {
    return find_ranks(image, {rank_low, rank_high}, threads, radiograph::active().count_u16);
}

void window_resize(Radiograph<uint8_t> image, Window window, Placement place, int height, int width, float* out,
                   int threads) {
    run_resize(image, window, place, height, width, out, threads, radiograph::active().resize_u8);
}

void window_resize(Radiograph<uint16_t> image, Window window, Placement place, int height, int width, float* out,
                   int threads) {
    run_resize(image, window, place, height, width, out, threads, radiograph::active().resize_u16);
}

}  // namespace spinert
