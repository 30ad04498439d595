// A radiograph's window and its resize onto a network's input.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace spinert {

// A stored-value window and where the resized image lies in the output.
struct Window {
    int low, high;  // stored values that become 0 and 1; low <= high
    bool inverted;  // 1 - x for the pixels of the image, never for the padding
};
struct Placement {
    int top, left, rows, columns;
};

template <class Pixel>
struct Radiograph {
    const Pixel* pixels;
    int rows, columns;
};

// The values with 1-based ranks `rank_low` <= `rank_high` <= rows * columns among the sorted pixels.
struct Ranked {
    int low, high;
};
Ranked order_statistics(Radiograph<uint8_t> image, uint64_t rank_low, uint64_t rank_high, int threads);
Ranked order_statistics(Radiograph<uint16_t> image, uint64_t rank_low, uint64_t rank_high, int threads);

// Window, then resize onto out [height, width] at `place`; the rest of out becomes 0.
void window_resize(Radiograph<uint8_t> image, Window window, Placement place, int height, int width, float* out,
                   int threads);
void window_resize(Radiograph<uint16_t> image, Window window, Placement place, int height, int width, float* out,
                   int threads);

// A range of values low..high, and how many pixels lie below and within it.
struct Bracket {
    int low, high;
    uint64_t below, within;
};

// A histogram has an entry for every stored value, and as many spare ones as a block has pixels.
template <class Pixel>
constexpr int kLevels = 1 << (8 * sizeof(Pixel));
template <class Pixel>
constexpr int kHistogram = kLevels<Pixel> + 64 / static_cast<int>(sizeof(Pixel));

// One axis of a separable resize: output i is the sum over t < taps of weights[i * taps + t] * source[first[i] + t].
// Taps beyond the source have weight 0.
struct Axis {
    const int32_t* first;
    const float* weights;
    int taps;
};

template <class Pixel>
struct ResizeJob {
    Radiograph<Pixel> image;
    Window window;
    Axis rows, columns;  // rows.taps is a multiple of 4
    int out_columns;
    float* out;  // first pixel of the placed image
    int out_stride;
};

namespace radiograph {

struct Kernels {
    // adds to the counts of brackets [2], and to histogram [kHistogram] the pixels within a bracket of several values
    void (*count_u8)(const uint8_t* pixels, size_t n, Bracket* brackets, uint32_t* histogram);
    void (*count_u16)(const uint16_t* pixels, size_t n, Bracket* brackets, uint32_t* histogram);
    // output rows begin..end; `line` is scratch of image.columns + columns.taps floats
    void (*resize_u8)(const ResizeJob<uint8_t>& job, int begin, int end, float* line);
    void (*resize_u16)(const ResizeJob<uint16_t>& job, int begin, int end, float* line);
};
SPINERT_TABLES

}  // namespace radiograph
}  // namespace spinert
