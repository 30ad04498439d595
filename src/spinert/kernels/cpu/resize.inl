// Window and separable resize, rows first: each output row is a weighted sum of source rows, clipped to the window as
// they are read, and then of the columns of that sum.

namespace spinert {
namespace {

// line[i] (+)= sum of weight * (clipped pixel - low) over four source rows
template <bool kFirst, class Pixel>
SPINERT_INLINE void add_four_rows(const Pixel* const* rows, const float* w, Pixel low, Pixel high, int columns,
                                  float* line) {
    const Pixel *r0 = rows[0], *r1 = rows[1], *r2 = rows[2], *r3 = rows[3];
    const float w0 = w[0], w1 = w[1], w2 = w[2], w3 = w[3];
    for (int i = 0; i < columns; ++i) {
        Pixel a = r0[i] < low ? low : r0[i], b = r1[i] < low ? low : r1[i];
        Pixel c = r2[i] < low ? low : r2[i], d = r3[i] < low ? low : r3[i];
        a = static_cast<Pixel>((a > high ? high : a) - low);
        b = static_cast<Pixel>((b > high ? high : b) - low);
        c = static_cast<Pixel>((c > high ? high : c) - low);
        d = static_cast<Pixel>((d > high ? high : d) - low);
        const float sum = (w0 * static_cast<float>(a) + w1 * static_cast<float>(b)) +
                          (w2 * static_cast<float>(c) + w3 * static_cast<float>(d));
        line[i] = kFirst ? sum : line[i] + sum;
    }
}

template <class Pixel>
static void resize_rows(const ResizeJob<Pixel>& job, int begin, int end, float* line) {
    const int columns = job.image.columns, last_row = job.image.rows - 1;
    const Pixel low = static_cast<Pixel>(job.window.low), high = static_cast<Pixel>(job.window.high);
    const float factor = high > low ? 1.0f / static_cast<float>(high - low) : 0.0f;
    for (int t = 0; t < job.columns.taps; ++t) line[columns + t] = 0.0f;

    for (int y = begin; y < end; ++y) {
        for (int t = 0; t < job.rows.taps; t += 4) {
            const Pixel* rows[4];
            for (int k = 0; k < 4; ++k) {
                const int row = job.rows.first[y] + t + k;  // beyond the last row the weight is 0
                rows[k] = job.image.pixels + static_cast<size_t>(row < last_row ? row : last_row) * columns;
            }
            const float* weights = job.rows.weights + static_cast<size_t>(y) * job.rows.taps + t;
            if (t == 0) {
                add_four_rows<true>(rows, weights, low, high, columns, line);
            } else {
                add_four_rows<false>(rows, weights, low, high, columns, line);
            }
        }
        float* out = job.out + static_cast<size_t>(y) * job.out_stride;
        const int taps = job.columns.taps;
        for (int x = 0; x < job.out_columns; ++x) {
            const float* from = line + job.columns.first[x];
            const float* weights = job.columns.weights + static_cast<size_t>(x) * taps;
            float sum = weights[0] * from[0];
            for (int t = 1; t < taps; ++t) sum += weights[t] * from[t];
            const float value = sum * factor;
            const float clipped = value < 1.0f ? value : 1.0f;  // weights may add up to a rounding over 1
            out[x] = job.window.inverted ? 1.0f - clipped : clipped;
        }
    }
}

}  // namespace
}  // namespace spinert
