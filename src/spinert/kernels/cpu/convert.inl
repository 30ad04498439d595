// Lanes of one type from or to lanes of another, and the few operations that vector extensions cannot say: each has an
// overload for the registers of every instruction set, with the same bits.
#pragma once

#include "../math/half.h"
#include "lanes.inl"
#include "x86.inl"

namespace spinert {
namespace {

SPINERT_LANEWISE(>>)

// One number after the other, widened or as it is, to 64 bytes of `To`.
template <class To, class From, int kBytes>
struct Widen {
    __attribute__((always_inline)) static Lanes<To, kBytes> from(const From* source) {
        return {Widen<To, From, kBytes / 2>::from(source),
                Widen<To, From, kBytes / 2>::from(source + Lanes<To, kBytes / 2>::kCount)};
    }
};
template <class To, class From>
struct Widen<To, From, kRegisterBytes> {
    __attribute__((always_inline)) static Register<To> from(const From* source) {
        typedef From Narrow __attribute__((vector_size(kRegisterBytes * sizeof(From) / sizeof(To))));
        Narrow narrow;
        __builtin_memcpy(&narrow, source, sizeof narrow);
        return {__builtin_convertvector(narrow, typename Register<To>::Vector)};
    }
};

template <class To, class From>
SPINERT_INLINE Lanes<To> load_as(const From* source) {
    return Widen<To, From, 64>::from(source);
}

// The lanes' values in a type of the same size; cut to a whole number where that is one, which must hold them.
template <class To, class From>
SPINERT_INLINE Register<To> values_as(Register<From> v) {
    return {__builtin_convertvector(v.lanes, typename Register<To>::Vector)};
}
template <class To, class From, int kBytes>
SPINERT_INLINE Lanes<To, kBytes> values_as(Lanes<From, kBytes> v) {
    return {values_as<To>(v.low), values_as<To>(v.high)};
}

// As `float_of` of math/half.h.
SPINERT_INLINE Floats floats_of(const Half* source) {
    const Ints half = load_as<int32_t>(&source->bits);
    const Ints sign = (half & all(0x8000)) << all(16), magnitude = (half & all(0x7fff)) << all(13);
    const Ints rebias = all(112 << 23), one = all(1 << 23);
    const Ints above = select(all((31 << 23) - 1) < magnitude, rebias + rebias, rebias);
    const Floats small = bits_as<float>(magnitude + rebias + one) - bits_as<float>(rebias + one);
    return bits_as<float>(sign | select(magnitude < one, bits_as<int32_t>(small), magnitude + above));
}

// packed: the lanes of `a`, then those of `b`, as numbers of half the size, which must hold them.
// to_halves: the nearest half-precision numbers of `a`, then of `b`; see math/half.h.
// pair_sums: a[2 i] * b[2 i] + a[2 i + 1] * b[2 i + 1], modulo 2**32.
#if defined(__AVX512F__)
SPINERT_INLINE __m512i packed_in_order(__m512i v) {
    return _mm512_permutexvar_epi64(_mm512_set_epi64(7, 5, 3, 1, 6, 4, 2, 0), v);
}
SPINERT_INLINE Register<uint16_t> packed(Register<int32_t> a, Register<int32_t> b) {
    return {(Register<uint16_t>::Vector)packed_in_order(_mm512_packus_epi32((__m512i)a.lanes, (__m512i)b.lanes))};
}
SPINERT_INLINE Register<uint8_t> packed(Register<uint16_t> a, Register<uint16_t> b) {
    return {(Register<uint8_t>::Vector)packed_in_order(_mm512_packus_epi16((__m512i)a.lanes, (__m512i)b.lanes))};
}
SPINERT_INLINE Register<uint16_t> to_halves(Register<float> a, Register<float> b) {
    const __m256i first = _mm512_cvtps_ph((__m512)a.lanes, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m256i second = _mm512_cvtps_ph((__m512)b.lanes, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    return {(Register<uint16_t>::Vector)_mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1)};
}
SPINERT_INLINE Register<int32_t> pair_sums(Register<int16_t> a, Register<int16_t> b) {
    return {(Register<int32_t>::Vector)_mm512_madd_epi16((__m512i)a.lanes, (__m512i)b.lanes)};
}
#elif defined(__AVX2__)
SPINERT_INLINE Register<uint16_t> packed(Register<int32_t> a, Register<int32_t> b) {
    const __m256i both = _mm256_packus_epi32((__m256i)a.lanes, (__m256i)b.lanes);
    return {(Register<uint16_t>::Vector)_mm256_permute4x64_epi64(both, 0xd8)};
}
SPINERT_INLINE Register<uint8_t> packed(Register<uint16_t> a, Register<uint16_t> b) {
    const __m256i both = _mm256_packus_epi16((__m256i)a.lanes, (__m256i)b.lanes);
    return {(Register<uint8_t>::Vector)_mm256_permute4x64_epi64(both, 0xd8)};
}
SPINERT_INLINE Register<uint16_t> to_halves(Register<float> a, Register<float> b) {
    const __m128i first = _mm256_cvtps_ph((__m256)a.lanes, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    const __m128i second = _mm256_cvtps_ph((__m256)b.lanes, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    return {(Register<uint16_t>::Vector)_mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1)};
}
SPINERT_INLINE Register<int32_t> pair_sums(Register<int16_t> a, Register<int16_t> b) {
    return {(Register<int32_t>::Vector)_mm256_madd_epi16((__m256i)a.lanes, (__m256i)b.lanes)};
}
#elif defined(__x86_64__)
SPINERT_INLINE Register<uint16_t> packed(Register<int32_t> a, Register<int32_t> b) {
    // SSE2 packs numbers with a sign only
    const auto with_sign = [](Register<int32_t> v) { return _mm_srai_epi32(_mm_slli_epi32((__m128i)v.lanes, 16), 16); };
    return {(Register<uint16_t>::Vector)_mm_packs_epi32(with_sign(a), with_sign(b))};
}
SPINERT_INLINE Register<uint8_t> packed(Register<uint16_t> a, Register<uint16_t> b) {
    return {(Register<uint8_t>::Vector)_mm_packus_epi16((__m128i)a.lanes, (__m128i)b.lanes)};
}
SPINERT_INLINE Register<int32_t> pair_sums(Register<int16_t> a, Register<int16_t> b) {
    return {(Register<int32_t>::Vector)_mm_madd_epi16((__m128i)a.lanes, (__m128i)b.lanes)};
}
#else
SPINERT_INLINE Register<uint16_t> packed(Register<int32_t> a, Register<int32_t> b) {
    const auto x = (Register<uint16_t>::Vector)a.lanes, y = (Register<uint16_t>::Vector)b.lanes;
    return {__builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14)};
}
SPINERT_INLINE Register<uint8_t> packed(Register<uint16_t> a, Register<uint16_t> b) {
    const auto x = (Register<uint8_t>::Vector)a.lanes, y = (Register<uint8_t>::Vector)b.lanes;
    return {__builtin_shufflevector(x, y, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)};
}
SPINERT_INLINE Register<int32_t> pair_sums(Register<int16_t> a, Register<int16_t> b) {
    typedef uint32_t Unsigned __attribute__((vector_size(kRegisterBytes)));  // wraps
    const auto x = bits_as<int32_t>(a).lanes, y = bits_as<int32_t>(b).lanes;
    const auto even = (Unsigned)((x << 16) >> 16) * (Unsigned)((y << 16) >> 16);
    return {(Register<int32_t>::Vector)(even + (Unsigned)(x >> 16) * (Unsigned)(y >> 16))};
}
#endif
#if !defined(__AVX2__)
// As `half_of` of math/half.h, in the low 16 bits of each lane.
SPINERT_INLINE Register<int32_t> half_bits(Register<float> v) {
    const auto every = [](int32_t value) { return Fill<int32_t, kRegisterBytes>::with(value); };
    const auto bits = bits_as<int32_t>(v), size = bits & every(0x7fffffff), half = every(0x3f000000);
    const auto bounded = select(size < every(143 << 23), size, every(143 << 23));
    const auto usual = (bounded - every((112 << 23) - 0xfff) + ((bounded >> every(13)) & every(1))) >> every(13);
    const auto small = bits_as<int32_t>(bits_as<float>(size) + bits_as<float>(half)) - half;
    const auto finite = select(size < every(113 << 23), small, usual);
    const auto nan = every(0x7e00) | ((size >> every(13)) & every(0x3ff));
    return ((bits >> every(16)) & every(0x8000)) | select(size > every(255 << 23), nan, finite);
}
SPINERT_INLINE Register<uint16_t> to_halves(Register<float> a, Register<float> b) {
    return packed(half_bits(a), half_bits(b));
}
#endif

template <int kBytes>
SPINERT_INLINE Lanes<uint16_t, kBytes> packed(Lanes<int32_t, kBytes> a, Lanes<int32_t, kBytes> b) {
    return {packed(a.low, a.high), packed(b.low, b.high)};
}
template <int kBytes>
SPINERT_INLINE Lanes<uint8_t, kBytes> packed(Lanes<uint16_t, kBytes> a, Lanes<uint16_t, kBytes> b) {
    return {packed(a.low, a.high), packed(b.low, b.high)};
}
template <int kBytes>
SPINERT_INLINE Lanes<uint16_t, kBytes> to_halves(Lanes<float, kBytes> a, Lanes<float, kBytes> b) {
    return {to_halves(a.low, a.high), to_halves(b.low, b.high)};
}
template <int kBytes>
SPINERT_INLINE Lanes<int32_t, kBytes> pair_sums(Lanes<int16_t, kBytes> a, Lanes<int16_t, kBytes> b) {
    return {pair_sums(a.low, b.low), pair_sums(a.high, b.high)};
}

}  // namespace
}  // namespace spinert
