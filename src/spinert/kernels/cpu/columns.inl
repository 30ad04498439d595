// The columns of a line blended into a row: 16 outputs at once, whose inputs lie close together and ascend. Where they
// lie within two registers a permutation picks them, ten times as fast as a gather.
#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace spinert {
namespace {

// line[places[i]]
SPINERT_INLINE Floats pick(const float* line, const int32_t* places) {
    float lanes[16];
    for (int i = 0; i < 16; ++i) lanes[i] = line[places[i]];
    return load(lanes);
}

// The same for places as LinearJob::near says; up to 31 floats behind the first are read.
#if defined(__AVX512F__)
SPINERT_INLINE Floats pick_near(const float* line, const int32_t* places) {
    const __m512i steps = _mm512_sub_epi32(_mm512_loadu_si512(places), _mm512_set1_epi32(places[0]));
    const float* first = line + places[0];
    return {_mm512_permutex2var_ps(_mm512_loadu_ps(first), steps, _mm512_loadu_ps(first + 16))};
}
#elif defined(__AVX2__)
SPINERT_INLINE Register<float> pick_eight(const float* line, const int32_t* places) {
    const __m256i from = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(places));
    const __m256i steps = _mm256_sub_epi32(from, _mm256_set1_epi32(places[0]));
    const float* first = line + places[0];
    const __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(first), steps);
    const __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(first + 8), steps);
    const __m256 eighth = _mm256_castsi256_ps(_mm256_slli_epi32(steps, 28));  // this bit of a step becomes the sign
    return {_mm256_blendv_ps(low, high, eighth)};
}
SPINERT_INLINE Floats pick_near(const float* line, const int32_t* places) {
    return {pick_eight(line, places), pick_eight(line, places + 8)};
}
#else
SPINERT_INLINE Floats pick_near(const float* line, const int32_t* places) { return pick(line, places); }
#endif

template <bool kNear>
SPINERT_INLINE Floats pick_any(const float* line, const int32_t* places) {
    return kNear ? pick_near(line, places) : pick(line, places);
}

template <bool kNear, bool kWindowed>
static void blend_columns(const float* line, const ResampleAxis& axis, int padded, int columns, const Shade& shade,
                          float* out) {
    for (int x = 0; x < columns; x += 16) {
        Floats sum = load(axis.weights + x) * pick_any<kNear>(line, axis.index + x);
        for (int t = 1; t < axis.taps; ++t) {
            const size_t at = static_cast<size_t>(t) * padded + x;
            sum = sum + load(axis.weights + at) * pick_any<kNear>(line, axis.index + at);
        }
        if (kWindowed) {
            sum = sum * all(shade.factor);
            sum = select(sum < all(shade.least), all(shade.least), sum);
            sum = select(sum > all(shade.most), all(shade.most), sum);
        }
        if (x + 16 <= columns) {
            store(sum, out + x);
        } else {
            store_part(sum, out + x, columns - x);
        }
    }
}

}  // namespace
}  // namespace spinert
