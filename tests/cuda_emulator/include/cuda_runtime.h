// CUDA C++ as ordinary C++: qualifiers, built-in variables, intrinsics and launches.
#pragma once

#include <math.h>

#include <cstring>
#include <functional>
#include <type_traits>
#include <utility>

#include "cuda_runtime_api.h"
#include "vector_types.h"

#define __global__
#define __device__
#define __host__
#define __constant__
#define __shared__ static  // blocks run one after another
#define __forceinline__ inline __attribute__((always_inline))
#define __align__(bytes) alignas(bytes)
#define __launch_bounds__(...)
#define __grid_constant__

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace emulated {
// What a thread waits for, and what it says to the others meanwhile.
void wait_for_block();
int wait_for_block(bool said, int (*of)(int yes, int all));
// Values of the 32 lanes once all threads of `mask` have come here; `said` is this thread's own.
const uint64_t* wait_for_warp(unsigned mask, uint64_t said);
unsigned lane();
void fault(const char* what);  // ends the kernel; does not return
void* dynamic_shared();

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> body);
cudaError_t allow_shared(const void* kernel, int bytes);

template <class T>
uint64_t to_bits(T value) {
    static_assert(sizeof(T) <= 8 && std::is_trivially_copyable_v<T>);
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof(T));
    return bits;
}
template <class T>
T from_bits(uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof(T));
    return value;
}
// The value of lane `from`, or this lane's own where `from` lies outside the segment of `width` lanes.
template <class T>
T shuffle(unsigned mask, T value, int from, bool inside) {
    const uint64_t* lanes = wait_for_warp(mask, to_bits(value));
    if (!inside) return value;
    if (!(mask >> from & 1u)) fault("a shuffle reads a lane outside its mask");
    return from_bits<T>(lanes[from]);
}
}  // namespace emulated

template <class... Expected, class... Actual>
cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config, void (*kernel)(Expected...), Actual&&... args) {
    const auto bind = [kernel](Expected... values) -> std::function<void()> {
        return [kernel, values...] { kernel(values...); };
    };
    return emulated::launch(*config, reinterpret_cast<const void*>(kernel), bind(std::forward<Actual>(args)...));
}
template <class... Arguments>
cudaError_t cudaFuncSetAttribute(void (*kernel)(Arguments...), cudaFuncAttribute, int bytes) {
    return emulated::allow_shared(reinterpret_cast<const void*>(kernel), bytes);
}

inline void __syncthreads() { emulated::wait_for_block(); }
inline int __syncthreads_or(int said) {
    return emulated::wait_for_block(said != 0, [](int yes, int) { return yes > 0 ? 1 : 0; });
}
inline int __syncthreads_and(int said) {
    return emulated::wait_for_block(said != 0, [](int yes, int all) { return yes == all ? 1 : 0; });
}
inline int __syncthreads_count(int said) {
    return emulated::wait_for_block(said != 0, [](int yes, int) { return yes; });
}
inline void __syncwarp(unsigned mask = ~0u) { emulated::wait_for_warp(mask, 0); }
inline void __threadfence() {}
inline void __threadfence_block() {}

template <class T>
T __shfl_sync(unsigned mask, T value, int source, int width = 32) {
    const int first = static_cast<int>(emulated::lane()) & ~(width - 1);
    return emulated::shuffle(mask, value, first + (source & (width - 1)), true);
}
template <class T>
T __shfl_xor_sync(unsigned mask, T value, int bits, int width = 32) {
    const int lane = static_cast<int>(emulated::lane()), from = lane ^ bits;
    return emulated::shuffle(mask, value, from, from < (lane & ~(width - 1)) + width);
}
template <class T>
T __shfl_down_sync(unsigned mask, T value, unsigned by, int width = 32) {
    const int lane = static_cast<int>(emulated::lane()), from = lane + static_cast<int>(by);
    return emulated::shuffle(mask, value, from, from < (lane & ~(width - 1)) + width);
}
template <class T>
T __shfl_up_sync(unsigned mask, T value, unsigned by, int width = 32) {
    const int lane = static_cast<int>(emulated::lane()), from = lane - static_cast<int>(by);
    return emulated::shuffle(mask, value, from, from >= (lane & ~(width - 1)));
}
inline unsigned __ballot_sync(unsigned mask, int said) {
    const uint64_t* lanes = emulated::wait_for_warp(mask, said != 0);
    unsigned votes = 0;
    for (unsigned i = 0; i < 32; ++i) votes |= (mask >> i & 1u) && lanes[i] ? 1u << i : 0u;
    return votes;
}
inline int __any_sync(unsigned mask, int said) { return __ballot_sync(mask, said) != 0; }
inline int __all_sync(unsigned mask, int said) { return __ballot_sync(mask, !said) == 0; }
template <class T>
unsigned __match_any_sync(unsigned mask, T value) {
    const uint64_t* lanes = emulated::wait_for_warp(mask, emulated::to_bits(value));
    unsigned same = 0;
    for (unsigned i = 0; i < 32; ++i) same |= (mask >> i & 1u) && lanes[i] == emulated::to_bits(value) ? 1u << i : 0u;
    return same;
}

#include "intrinsics.h"
