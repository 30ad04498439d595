// A radiograph's window and its resize.
#include "radiograph.h"

#include "../math/resize_weights.h"
#include "ranks.cuh"
#include "scratch.h"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 256;

// One axis of the resize: output i is the sum over t < taps of weights[i * taps + t] * source[first[i] + t].
struct Axis {
    int32_t* first;
    float* weights;
    int inputs, outputs, taps;
};

__global__ void __launch_bounds__(kThreads) weigh_axis(Axis axis) {
    for_each_of_grid(static_cast<size_t>(axis.outputs) * static_cast<size_t>(axis.taps), [&](size_t at) {
        const int i = static_cast<int>(at / static_cast<size_t>(axis.taps));
        const int tap = static_cast<int>(at % static_cast<size_t>(axis.taps));
        axis.weights[at] = resize_weight(i, tap, axis.inputs, axis.outputs);
        if (tap == 0) axis.first[i] = resize_first(i, axis.inputs, axis.outputs);
    });
}

__device__ int clamped(int value, int low, int high) { return min(max(value, low), high); }

// Clipped to the window, less its low end, averaged.
template <class Pixel>
__device__ float mean_of_span(const Radiograph<Pixel>& image, int low, int high, const Axis& rows, const Axis& columns,
                              int y, int x) {
    const float* const row_weights = rows.weights + static_cast<size_t>(y) * static_cast<size_t>(rows.taps);
    const float* const column_weights = columns.weights + static_cast<size_t>(x) * static_cast<size_t>(columns.taps);
    const int first_row = rows.first[y], first_column = columns.first[x];
    float sum = 0.0f;
    for (int r = 0; r < rows.taps; ++r) {
        const int row = min(first_row + r, image.rows - 1);  // beyond the last the weight is 0
        const Pixel* const line = image.pixels + static_cast<size_t>(row) * static_cast<size_t>(image.columns);
        float in_row = 0.0f;
        for (int c = 0; c < columns.taps; ++c) {
            const int column = min(first_column + c, image.columns - 1);
            const int value = clamped(static_cast<int>(__ldg(line + column)), low, high) - low;
            in_row += column_weights[c] * static_cast<float>(value);
        }
        sum += row_weights[r] * in_row;
    }
    return sum;
}

template <class Pixel>
__global__ void __launch_bounds__(kThreads)
resize_pixels(Radiograph<Pixel> image, const int32_t* window, bool inverted, Placement place, Axis rows, Axis columns,
              float* out) {
    const int largest = static_cast<Pixel>(-1);
    const int low = clamped(window[0], 0, largest), high = clamped(window[1], low, largest);
    const float factor = high > low ? 1.0f / static_cast<float>(high - low) : 0.0f;
    const size_t width = static_cast<size_t>(place.width);
    for_each_of_grid(static_cast<size_t>(place.height) * width, [&](size_t at) {
        const int y = static_cast<int>(at / width) - place.top, x = static_cast<int>(at % width) - place.left;
        if (y < 0 || y >= place.rows || x < 0 || x >= place.columns) {
            out[at] = 0.0f;
            return;
        }
        const float value = min(1.0f, mean_of_span(image, low, high, rows, columns, y, x) * factor);
        out[at] = inverted ? 1.0f - value : value;  // weights may add up to a rounding over 1, hence the 1 above
    });
}

template <class Pixel>
void resize(const Radiograph<Pixel>& image, const int32_t* window, bool inverted, const Placement& place, float* out,
            Stream& stream) {
    const char* const name = "window_resize";
    const int row_taps = resize_taps(image.rows, place.rows), column_taps = resize_taps(image.columns, place.columns);
    const size_t of_rows = static_cast<size_t>(place.rows), of_columns = static_cast<size_t>(place.columns);
    const size_t row_weights = of_rows * static_cast<size_t>(row_taps);
    const size_t column_weights = of_columns * static_cast<size_t>(column_taps);
    Scratch scratch(stream, {of_rows * sizeof(int32_t), row_weights * sizeof(float), of_columns * sizeof(int32_t),
                             column_weights * sizeof(float)});
    int32_t* const first_rows = scratch.next<int32_t>(of_rows);
    const Axis rows = {first_rows, scratch.next<float>(row_weights), image.rows, place.rows, row_taps};
    int32_t* const first_columns = scratch.next<int32_t>(of_columns);
    float* const weights_of_columns = scratch.next<float>(column_weights);
    const Axis columns = {first_columns, weights_of_columns, image.columns, place.columns, column_taps};

    const auto grid = [](size_t n) { return Grid{dim3(blocks_for(n, kThreads)), dim3(kThreads)}; };
    const size_t pixels = static_cast<size_t>(place.height) * static_cast<size_t>(place.width);
    launch(name, {image.rows, image.columns}, weigh_axis, grid(row_weights), stream, rows);
    launch(name, {image.rows, image.columns}, weigh_axis, grid(column_weights), stream, columns);
    launch(name, {image.rows, image.columns}, resize_pixels<Pixel>, grid(pixels), stream, image, window, inverted,
           place, rows, columns, out);
}

}  // namespace

void order_statistics(const Radiograph<uint8_t>& image, uint32_t rank_low, uint32_t rank_high, int32_t* window,
                      Stream& stream) {
    search_ranks(image, rank_low, rank_high, window, stream);
}

void order_statistics(const Radiograph<uint16_t>& image, uint32_t rank_low, uint32_t rank_high, int32_t* window,
                      Stream& stream) {
    search_ranks(image, rank_low, rank_high, window, stream);
}

void window_resize(const Radiograph<uint8_t>& image, const int32_t* window, bool inverted, const Placement& place,
                   float* out, Stream& stream) {
    resize(image, window, inverted, place, out, stream);
}

void window_resize(const Radiograph<uint16_t>& image, const int32_t* window, bool inverted, const Placement& place,
                   float* out, Stream& stream) {
    resize(image, window, inverted, place, out, stream);
}

}  // namespace spinert::cuda
