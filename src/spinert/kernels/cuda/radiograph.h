// A radiograph's window and its resize: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stream.h"

namespace spinert::cuda {

template <class Pixel>
struct Radiograph {
    const Pixel* pixels;
    int rows, columns;
    size_t size() const { return static_cast<size_t>(rows) * static_cast<size_t>(columns); }
};

// Where the resized image lies in the output; the rest of it becomes 0.
struct Placement {
    int top, left, rows, columns;
    int height, width;  // of the output
};

// window [2]: the values with the 1-based ranks `rank_low` <= `rank_high` <= pixels, which are at most 2**32 - 1.
void order_statistics(const Radiograph<uint8_t>& image, uint32_t rank_low, uint32_t rank_high, int32_t* window,
                      Stream& stream);
void order_statistics(const Radiograph<uint16_t>& image, uint32_t rank_low, uint32_t rank_high, int32_t* window,
                      Stream& stream);

// The window is read when the kernel runs; what is not 0 <= low <= high <= largest is clamped to it.
void window_resize(const Radiograph<uint8_t>& image, const int32_t* window, bool inverted, const Placement& place,
                   float* out, Stream& stream);
void window_resize(const Radiograph<uint16_t>& image, const int32_t* window, bool inverted, const Placement& place,
                   float* out, Stream& stream);

}  // namespace spinert::cuda
