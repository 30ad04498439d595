// Numbers 1, 2, 3 ... for the items of a long list that are marked, in their order: a block counts the marks of its
// share, one block sums the counts up, and each block numbers its share.
//
// Marks: bool marked(int i), void number(int i, int number, bool marked).
#pragma once

#include "block.cuh"
#include "launch.h"

namespace spinert::cuda {

constexpr int kNumberThreads = 256;
constexpr int kNumberShare = 16 * kNumberThreads;

template <class Marks>
__global__ void __launch_bounds__(kNumberThreads) count_marks(Marks marks, int n, int32_t* counts) {
    __shared__ int32_t scratch[kWarpsAtMost];
    const int begin = static_cast<int>(blockIdx.x) * kNumberShare, share = min(kNumberShare, n - begin);
    int32_t mine = 0;
    for (int i = static_cast<int>(threadIdx.x); i < share; i += kNumberThreads) mine += marks.marked(begin + i);
    const int32_t sum = sum_of_block(mine, scratch);
    if (threadIdx.x == 0) counts[blockIdx.x] = sum;
}

// counts [n] become the sums before each, and the whole sum goes to `total`. One block.
static __global__ void __launch_bounds__(kNumberThreads) sum_counts(int32_t* counts, int n, int32_t* total) {
    __shared__ int32_t scratch[kWarpsAtMost];
    int32_t before = 0;
    for (int first = 0; first < n; first += kNumberThreads) {
        const int i = first + static_cast<int>(threadIdx.x);
        const Scanned<int32_t> scanned = scan_block(i < n ? counts[i] : 0, scratch);
        if (i < n) counts[i] = before + scanned.before;
        before += scanned.total;
    }
    if (threadIdx.x == 0) *total = before;
}

template <class Marks>
__global__ void __launch_bounds__(kNumberThreads) number_marks(Marks marks, int n, const int32_t* sums) {
    __shared__ int32_t scratch[kWarpsAtMost];
    const int begin = static_cast<int>(blockIdx.x) * kNumberShare;
    int32_t before = sums[blockIdx.x];
    for (int step = 0; step < kNumberShare; step += kNumberThreads) {
        const int share = n - begin, offset = step + static_cast<int>(threadIdx.x);
        const bool marked = offset < share && marks.marked(begin + offset);
        const Scanned<int32_t> scanned = scan_block(static_cast<int32_t>(marked), scratch);
        if (offset < share) marks.number(begin + offset, before + scanned.before + 1, marked);
        before += scanned.total;
    }
}

inline size_t numbering_bytes(int n) {
    return (static_cast<size_t>(n) / kNumberShare + 1) * sizeof(int32_t);
}

// counts: scratch of numbering_bytes(n); total [1]
template <class Marks>
void number_all(const char* name, const Marks& marks, int n, int32_t* counts, int32_t* total, const Stream& stream) {
    const auto blocks = static_cast<unsigned>(n / kNumberShare + (n % kNumberShare != 0));
    launch(name, {n}, count_marks<Marks>, {dim3(blocks), dim3(kNumberThreads)}, stream, marks, n, counts);
    launch(name, {n}, sum_counts, {dim3(1), dim3(kNumberThreads)}, stream, counts, static_cast<int>(blocks), total);
    launch(name, {n}, number_marks<Marks>, {dim3(blocks), dim3(kNumberThreads)}, stream, marks, n,
           static_cast<const int32_t*>(counts));
}

}  // namespace spinert::cuda
