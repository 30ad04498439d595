// Voxels eight at a time, and numbers of the host's as a kernel's arguments.
#pragma once

#include <cstdint>
#include <limits>

#include "block.cuh"
#include "launch.h"
#include "scratch.h"

namespace spinert::cuda {

constexpr unsigned kVoxelThreads = 256;
constexpr int kPack = 8;

template <class T>
struct alignas(sizeof(T) * kPack < 16 ? sizeof(T) * kPack : 16) Pack {
    T lanes[kPack];
};

template <class T>
bool is_packed(const T* data) {
    return reinterpret_cast<uintptr_t>(data) % alignof(Pack<T>) == 0;
}

// body(first, count) for all of 0..n, divided among the blocks of a slice: runs of 8 that begin at multiples of it, or
// single ones where arrays are not `packed`.
template <bool kPacked, class Body>
__device__ void for_each_run(size_t n, const Body& body) {
    if constexpr (kPacked) {
        for_each_of_grid(n / kPack, [&](size_t i) { body(i * kPack, kPack); });
        const size_t first = n / kPack * kPack + threadIdx.x;
        if (blockIdx.x == 0 && first < n) body(first, 1);
    } else {
        for_each_of_grid(n, [&](size_t i) { body(i, 1); });
    }
}

// The grid for runs of every slice: as many blocks in y as there are slices, or as CUDA allows.
inline Grid grid_of_slices(size_t slices, size_t voxels, unsigned runs_of_thread) {
    const unsigned blocks = blocks_for(voxels, kVoxelThreads * kPack * runs_of_thread);
    return {dim3(blocks, blocks_for(slices, 1)), dim3(kVoxelThreads)};
}

// Few numbers of the host's travel as arguments: nothing is copied that a graph could find gone later.
template <class T>
struct Parcel {
    static constexpr size_t kCount = 3840 / sizeof(T);
    T values[kCount];
};
template <class T>
__global__ void unpack_parcel(Parcel<T> parcel, int count, T* to) {
    for_each_of_grid(count, [&](int i) { to[i] = parcel.values[i]; });
}
// to[i] = make(i) for i = 0 .. n - 1
template <class T, class Make>
void put(const char* name, size_t n, T* to, const Stream& stream, const Make& make) {
    for (size_t begin = 0; begin < n; begin += Parcel<T>::kCount) {
        Parcel<T> parcel = {};
        const size_t count = n - begin < Parcel<T>::kCount ? n - begin : Parcel<T>::kCount;
        for (size_t i = 0; i < count; ++i) parcel.values[i] = make(begin + i);
        launch(name, {n}, unpack_parcel<T>, {dim3(1), dim3(kVoxelThreads)}, stream, parcel, static_cast<int>(count),
               to + begin);
    }
}

}  // namespace spinert::cuda
