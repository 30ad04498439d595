// What the threads of a block do together. Every sum has one fixed order, given the number of threads: results depend
// neither on scheduling nor on the device.
//
// All threads of the block take part, in blocks of one dimension whose number of threads is a multiple of 32. Scratch in
// shared memory is handed in, so that a kernel knows what it uses; it may be used again after the call.
#pragma once

#include <cuda_runtime.h>

namespace spinert::cuda {

constexpr int kWarp = 32;
constexpr unsigned kAllLanes = 0xffffffffu;
constexpr int kWarpsAtMost = 32;  // of a block

__device__ inline int lane_of_thread() { return static_cast<int>(threadIdx.x % kWarp); }
__device__ inline int warp_of_thread() { return static_cast<int>(threadIdx.x / kWarp); }
__device__ inline int warps_of_block() { return static_cast<int>(blockDim.x / kWarp); }

// body(i) for i = 0 .. n - 1, divided among all threads of the grid.
template <class Index, class Body>
__device__ void for_each_of_grid(Index n, const Body& body) {
    const Index step = static_cast<Index>(gridDim.x) * static_cast<Index>(blockDim.x);
    Index i = static_cast<Index>(blockIdx.x) * static_cast<Index>(blockDim.x) + static_cast<Index>(threadIdx.x);
    for (; i < n; i += step) body(i);
}

// body(i) for i = 0 .. n - 1, divided among all warps of the grid: every lane of a warp has the same i.
template <class Body>
__device__ void for_each_of_warps(int n, const Body& body) {
    const unsigned step = gridDim.x * static_cast<unsigned>(warps_of_block()), end = static_cast<unsigned>(n);
    unsigned i = blockIdx.x * static_cast<unsigned>(warps_of_block()) + static_cast<unsigned>(warp_of_thread());
    for (; i < end; i += step) body(static_cast<int>(i));  // unsigned: the last step may lead over INT_MAX
}

// Shared memory asked for at the launch (Grid::shared_bytes), aligned to 16 bytes.
template <class T>
__device__ T* dynamic_shared() {
#ifdef SPINERT_EMULATE_CUDA
    return static_cast<T*>(emulated::dynamic_shared());
#else
    extern __shared__ __align__(16) unsigned char memory[];
    return reinterpret_cast<T*>(memory);
#endif
}

// combine(a, b) over the warp, halves first: lane 0 has the result. T is at most 8 bytes, or has its own `down`.
template <class T>
__device__ T down(T value, int by) {
    return __shfl_down_sync(kAllLanes, value, static_cast<unsigned>(by));
}
template <class T, class Combine>
__device__ T reduce_warp(T value, const Combine& combine) {
    for (int by = kWarp / 2; by > 0; by /= 2) value = combine(value, down(value, by));
    return value;
}

// combine(a, b) over the block, the same for every thread. `combine` is associative up to rounding; `neutral` changes
// nothing. `scratch` is kWarpsAtMost values of shared memory.
template <class T, class Combine>
__device__ T reduce_block(T value, T neutral, const Combine& combine, T* scratch) {
    value = reduce_warp(value, combine);
    if (lane_of_thread() == 0) scratch[warp_of_thread()] = value;
    __syncthreads();
    if (warp_of_thread() == 0) {
        value = reduce_warp(lane_of_thread() < warps_of_block() ? scratch[lane_of_thread()] : neutral, combine);
        if (lane_of_thread() == 0) scratch[0] = value;
    }
    __syncthreads();
    value = scratch[0];
    __syncthreads();  // scratch may be used again
    return value;
}

template <class T>
__device__ T sum_of_block(T value, T* scratch) {
    return reduce_block(value, T(0), [](T a, T b) { return a + b; }, scratch);
}

// A value and where it stands; the higher value wins, of equals the first.
template <class T>
struct Highest {
    T value;
    int index;
};
template <class T>
__device__ Highest<T> higher(Highest<T> a, Highest<T> b) {
    return b.value > a.value || (b.value == a.value && b.index < a.index) ? b : a;
}
template <class T>
__device__ Highest<T> down(Highest<T> of, int by) {
    return {down(of.value, by), down(of.index, by)};
}
// Of one candidate from each thread; a thread without one brings `lowest` with a high index.
template <class T>
__device__ Highest<T> highest_of_block(Highest<T> mine, T lowest, Highest<T>* scratch) {
    const Highest<T> neutral = {lowest, 0x7fffffff};
    return reduce_block(mine, neutral, [](Highest<T> a, Highest<T> b) { return higher(a, b); }, scratch);
}

template <class T>
struct Scanned {
    T before;  // sum over the threads before this one
    T total;
};
// Exclusive prefix sum over the block; exact for integers, in one fixed order for floats. `scratch` is kWarpsAtMost
// values of shared memory.
template <class T>
__device__ Scanned<T> scan_block(T value, T* scratch) {
    T inclusive = value;
    for (int by = 1; by < kWarp; by *= 2) {
        const T below = __shfl_up_sync(kAllLanes, inclusive, static_cast<unsigned>(by));
        if (lane_of_thread() >= by) inclusive = below + inclusive;
    }
    if (lane_of_thread() == kWarp - 1) scratch[warp_of_thread()] = inclusive;
    __syncthreads();
    T base = T(0), total = T(0);
    for (int warp = 0; warp < warps_of_block(); ++warp) {
        if (warp == warp_of_thread()) base = total;
        total = total + scratch[warp];
    }
    __syncthreads();
    // what the lane before has, rather than `inclusive - value`, which is not exact for floats
    T below = __shfl_up_sync(kAllLanes, inclusive, 1);
    if (lane_of_thread() == 0) below = T(0);
    return {base + below, total};
}

}  // namespace spinert::cuda
