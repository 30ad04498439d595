// 64 comparisons to the 64 bits of a word, the first to the lowest.
#ifdef __SSE2__
#include <immintrin.h>
#endif

#include "lanes.inl"

namespace spinert {
namespace {

#if defined(__AVX512BW__) && defined(__AVX512DQ__)
SPINERT_INLINE uint64_t mask_bits(Register<uint8_t> mask) { return _mm512_movepi8_mask((__m512i)mask.lanes); }
SPINERT_INLINE uint64_t mask_bits(Register<int32_t> mask) { return _mm512_movepi32_mask((__m512i)mask.lanes); }
#elif defined(__AVX2__)
SPINERT_INLINE uint64_t mask_bits(Register<uint8_t> mask) {
    return static_cast<uint32_t>(_mm256_movemask_epi8((__m256i)mask.lanes));
}
SPINERT_INLINE uint64_t mask_bits(Register<int32_t> mask) {
    return static_cast<uint32_t>(_mm256_movemask_ps((__m256)mask.lanes));
}
#elif defined(__SSE2__)
SPINERT_INLINE uint64_t mask_bits(Register<uint8_t> mask) {
    return static_cast<uint32_t>(_mm_movemask_epi8((__m128i)mask.lanes));
}
SPINERT_INLINE uint64_t mask_bits(Register<int32_t> mask) {
    return static_cast<uint32_t>(_mm_movemask_ps((__m128)mask.lanes));
}
#else
template <class T>
SPINERT_INLINE uint64_t mask_bits(Register<T> mask) {
    uint64_t bits = 0;
    for (int i = 0; i < Register<T>::kCount; ++i) bits |= static_cast<uint64_t>(mask.lanes[i] != 0) << i;
    return bits;
}
#endif
template <class T, int kBytes>
SPINERT_INLINE uint64_t mask_bits(Lanes<T, kBytes> mask) {
    return mask_bits(mask.low) | mask_bits(mask.high) << Lanes<T, kBytes / 2>::kCount;
}

SPINERT_INLINE uint64_t nonzero_bits(const uint8_t* values) { return mask_bits(load(values) != all(uint8_t{0})); }

SPINERT_INLINE uint64_t differing_bits(const uint8_t* a, const uint8_t* b) { return mask_bits(load(a) != load(b)); }
SPINERT_INLINE uint64_t differing_bits(const int32_t* a, const int32_t* b) {
    uint64_t bits = 0;
    for (int i = 0; i < 64; i += 16) bits |= mask_bits(load(a + i) != load(b + i)) << i;
    return bits;
}

SPINERT_INLINE int lowest_bit(uint64_t bits) { return __builtin_ctzll(bits); }

SPINERT_INLINE int count_bits(uint64_t bits) {
#if defined(__POPCNT__) || !defined(__SSE2__)
    return __builtin_popcountll(bits);
#else  // what the compiler would call a function for
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    bits = (bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return static_cast<int>(bits * 0x0101010101010101u >> 56);
#endif
}

}  // namespace
}  // namespace spinert
