// Stores past the caches, for outputs that are too large to stay there: a line that is written whole need not be read
// first, which is a third of the traffic of a copy.
#pragma once

#include "lanes.inl"
#include "x86.inl"

namespace spinert {
namespace {

constexpr size_t kLine = 64;

// `to` is aligned to kLine. Nobody else sees what was streamed before `end_streaming`.
#if defined(__AVX512F__)
template <class T>
SPINERT_INLINE void stream(Register<T> v, T* to) {
    _mm512_stream_si512(reinterpret_cast<__m512i*>(to), (__m512i)v.lanes);
}
#elif defined(__AVX2__)
template <class T>
SPINERT_INLINE void stream(Register<T> v, T* to) {
    _mm256_stream_si256(reinterpret_cast<__m256i*>(to), (__m256i)v.lanes);
}
#elif defined(__x86_64__)
template <class T>
SPINERT_INLINE void stream(Register<T> v, T* to) {
    _mm_stream_si128(reinterpret_cast<__m128i*>(to), (__m128i)v.lanes);
}
#else
template <class T>
SPINERT_INLINE void stream(Register<T> v, T* to) {
    store(v, to);
}
#endif
template <class T, int kBytes>
SPINERT_INLINE void stream(Lanes<T, kBytes> v, T* to) {
    stream(v.low, to);
    stream(v.high, to + Lanes<T, kBytes / 2>::kCount);
}

SPINERT_INLINE void end_streaming() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

// How many of `n` numbers lie before the first that begins a line.
template <class T>
SPINERT_INLINE size_t before_line(const T* to, size_t n) {
    const size_t count = (kLine - reinterpret_cast<uintptr_t>(to) % kLine) % kLine / sizeof(T);
    return count < n ? count : n;
}

}  // namespace
}  // namespace spinert
