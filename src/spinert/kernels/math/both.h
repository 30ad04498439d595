// Functions that both the CPU kernels and their CUDA twins are made of: scalars in, scalars out.
//
// No standard library, no calls that are not inlined. Both sides compile them without contraction of a * b + c
// (-ffp-contract=off, --fmad=false) and with IEEE division and square root, so that they give the same bits.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define SPINERT_BOTH static __host__ __device__ __forceinline__
#else
#define SPINERT_BOTH static inline __attribute__((always_inline))
#endif

namespace spinert {

SPINERT_BOTH int32_t bits_of(float value) {
    int32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    return bits;
}

SPINERT_BOTH float float_of_bits(int32_t bits) {
    float value;
    __builtin_memcpy(&value, &bits, sizeof value);
    return value;
}

}  // namespace spinert
