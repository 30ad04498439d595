// Exact order statistics, a byte at a time: how often each high byte occurs, which one holds a rank, how often each low
// byte occurs with that one. Everything stays on the device.
#pragma once

#include "block.cuh"
#include "launch.h"
#include "radiograph.h"

namespace spinert::cuda {
namespace {

constexpr int kDigits = 256;  // and threads of a block

// Of both ranks: what is left of them among the values that begin with `digit`.
struct Search {
    uint32_t rank[2];
    int digit[2];
    uint32_t counts[2][kDigits];
};

__global__ void __launch_bounds__(kDigits) begin_search(uint32_t rank_low, uint32_t rank_high, Search* search) {
    search->counts[0][threadIdx.x] = search->counts[1][threadIdx.x] = 0;
    if (threadIdx.x < 2) {
        search->rank[threadIdx.x] = threadIdx.x == 0 ? rank_low : rank_high;
        search->digit[threadIdx.x] = 0;
    }
}

// key(pixel) is an entry of counts, or -1. A thread adds up equal keys in a row: flat areas would queue for one entry.
template <class Pixel, class Key>
__device__ void count_keys(const Pixel* pixels, size_t n, uint32_t* counts, const Key& key) {
    __shared__ uint32_t of_block[2 * kDigits];
    of_block[threadIdx.x] = of_block[kDigits + threadIdx.x] = 0;
    __syncthreads();
    int held = -1;
    uint32_t run = 0;
    for_each_of_grid(n, [&](size_t i) {
        const int next = key(static_cast<int>(__ldg(pixels + i)));
        if (next != held) {
            if (held >= 0) atomicAdd(of_block + held, run);
            held = next;
            run = 0;
        }
        ++run;
    });
    if (held >= 0) atomicAdd(of_block + held, run);
    __syncthreads();
    for (int k = static_cast<int>(threadIdx.x); k < 2 * kDigits; k += kDigits) {
        if (of_block[k]) atomicAdd(counts + k, of_block[k]);
    }
}

__global__ void __launch_bounds__(kDigits) count_high_bytes(const uint16_t* pixels, size_t n, Search* search) {
    count_keys(pixels, n, search->counts[0], [](int v) { return v >> 8; });
}

// Where both ranks begin with the same byte, the first counts are for both.
template <class Pixel>
__global__ void __launch_bounds__(kDigits) count_low_bytes(const Pixel* pixels, size_t n, Search* search) {
    const int first = search->digit[0], second = search->digit[1];
    count_keys(pixels, n, search->counts[0], [&](int v) {
        const int high = v >> 8, low = v & 255;
        return high == first ? low : high == second ? kDigits + low : -1;
    });
}

// One block: the digit of each rank, what is left of the rank, and no counts for what comes next. `window` is written
// with the last digit, null before.
__global__ void __launch_bounds__(kDigits) select_digits(bool two_counts, Search* search, int32_t* window) {
    __shared__ uint32_t scratch[kWarpsAtMost];
    const int digit = static_cast<int>(threadIdx.x);
    const bool apart = two_counts && search->digit[0] != search->digit[1];
    const uint32_t rank[2] = {search->rank[0], search->rank[1]};
    const int before[2] = {search->digit[0], search->digit[1]};
    __syncthreads();  // everybody has read the search
    for (int k = 0; k < 2; ++k) {
        const uint32_t count = search->counts[apart ? k : 0][digit];
        const uint32_t below = scan_block(count, scratch).before;
        if (below < rank[k] && rank[k] <= below + count) {
            search->digit[k] = digit;
            search->rank[k] = rank[k] - below;
            if (window) window[k] = before[k] * kDigits + digit;
        }
    }
    __syncthreads();
    search->counts[0][digit] = search->counts[1][digit] = 0;
}

template <class Pixel>
void search_ranks(const Radiograph<Pixel>& image, uint32_t rank_low, uint32_t rank_high, int32_t* window,
                  Stream& stream) {
    constexpr unsigned kEach = 16 * kDigits;  // pixels of a block
    const char* const name = "order_statistics";
    const Grid one = {dim3(1), dim3(kDigits)}, all = {dim3(blocks_for(image.size(), kEach, 2048)), dim3(kDigits)};
    Search* const search = static_cast<Search*>(stream.scratch(sizeof(Search)));
    launch(name, {image.rows, image.columns}, begin_search, one, stream, rank_low, rank_high, search);
    if constexpr (sizeof(Pixel) == 2) {
        launch(name, {image.rows, image.columns}, count_high_bytes, all, stream, image.pixels, image.size(), search);
        launch(name, {image.rows, image.columns}, select_digits, one, stream, false, search, nullptr);
    }
    launch(name, {image.rows, image.columns}, count_low_bytes<Pixel>, all, stream, image.pixels, image.size(), search);
    launch(name, {image.rows, image.columns}, select_digits, one, stream, true, search, window);
}

}  // namespace
}  // namespace spinert::cuda
