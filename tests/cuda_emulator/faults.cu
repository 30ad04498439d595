// Kernels with known faults, and the primitives of block.cuh against plain loops: what the emulator must find, and what
// it must pass. `faults NAME ORDER` prints one line.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "../../src/spinert/kernels/cuda/block.cuh"
#include "../../src/spinert/kernels/cuda/launch.h"
#include "../../src/spinert/kernels/cuda/memory.h"
#include "emulator.h"

using namespace spinert::cuda;

namespace {

constexpr int kThreads = 128;

template <bool kBarrier>
__global__ void reverse(int* values) {
    __shared__ int shared[kThreads];
    const int i = static_cast<int>(threadIdx.x);
    shared[i] = values[i];
    if (kBarrier) __syncthreads();
    values[i] = shared[kThreads - 1 - i];
}

__global__ void part_of_the_block_waits(int* values) {
    if (threadIdx.x < 40) __syncthreads();
    if (threadIdx.x >= 40) __syncwarp(kAllLanes);
    values[threadIdx.x] = 1;
}

__global__ void shuffle_from_outside(int* values) {
    if (threadIdx.x < 16) values[threadIdx.x] = __shfl_sync(0xffffu, values[threadIdx.x], 20);
}

__global__ void write_behind(int* values) { values[threadIdx.x + 1] = 7; }

// values[1] is 1, which the compiler does not know
__global__ void write_behind_shared(int* values) {
    __shared__ int shared[kThreads];
    shared[threadIdx.x + static_cast<unsigned>(values[1])] = 1;
    __syncthreads();
    values[threadIdx.x] = shared[threadIdx.x];
}

__global__ void write_behind_dynamic(int* values) {
    dynamic_shared<int>()[threadIdx.x + static_cast<unsigned>(values[1])] = 1;
}

// Sum, first highest and prefix sum over the block, for thread i's value (i * 37 + 11) % 101.
__global__ void primitives(double* sums, int* places, int* before) {
    __shared__ double doubles[kWarpsAtMost];
    __shared__ Highest<float> highest[kWarpsAtMost];
    __shared__ int ints[kWarpsAtMost];
    const int i = static_cast<int>(threadIdx.x), value = (i * 37 + 11) % 101;
    const double less = sum_of_block(0.1 * value - 0.1, doubles);  // scratch is used twice
    sums[i] = sum_of_block(0.1 * value, doubles);
    if (!(fabs(sums[i] - 0.1 * blockDim.x - less) < 1e-9)) sums[i] = -1.0;
    places[i] = highest_of_block(Highest<float>{static_cast<float>(value), i}, -1.0f, highest).index;
    const int other = scan_block(value - 1, ints).before;
    const Scanned<int> scanned = scan_block(value, ints);
    before[2 * i] = scanned.before == other + i ? other + i : -1;
    before[2 * i + 1] = scanned.total;
}

struct Ints {
    explicit Ints(Stream& stream_, size_t n) : stream(stream_), host(n), buffer(stream_, n * sizeof(int)) {
        for (size_t i = 0; i < n; ++i) host[i] = static_cast<int>(i);
        cudaMemcpyAsync(buffer.data(), host.data(), n * sizeof(int), cudaMemcpyHostToDevice, stream.get());
    }
    int* device() { return static_cast<int*>(buffer.data()); }
    unsigned long hash() {
        cudaMemcpyAsync(host.data(), buffer.data(), host.size() * sizeof(int), cudaMemcpyDeviceToHost, stream.get());
        unsigned long of = 0;
        for (int value : host) of = of * 31 + static_cast<unsigned long>(value);
        return of;
    }
    Stream& stream;
    std::vector<int> host;
    Buffer buffer;
};

std::string check_primitives(Stream& stream) {
    for (int threads = 32; threads <= 1024; threads += 32) {
        const auto n = static_cast<size_t>(threads);
        Buffer sums(stream, n * sizeof(double)), places(stream, n * sizeof(int)), before(stream, 2 * n * sizeof(int));
        launch("primitives", {threads}, primitives, {dim3(1), dim3(static_cast<unsigned>(threads))}, stream,
               static_cast<double*>(sums.data()), static_cast<int*>(places.data()), static_cast<int*>(before.data()));
        stream.synchronize();
        double sum = 0.0;
        int highest = 0, total = 0;
        for (int i = 0; i < threads; ++i) {
            const int value = (i * 37 + 11) % 101;
            if (value > (highest * 37 + 11) % 101) highest = i;
            if (static_cast<int*>(before.data())[2 * i] != total) return "wrong prefix sum";
            sum += 0.1 * value;
            total += value;
        }
        for (int i = 0; i < threads; ++i) {
            const double got = static_cast<double*>(sums.data())[i];
            if (got < sum - 1e-9 || got > sum + 1e-9) return "wrong sum";
            if (got != static_cast<double*>(sums.data())[0]) return "a sum that differs between threads";
            if (static_cast<int*>(places.data())[i] != highest) return "wrong highest";
            if (static_cast<int*>(before.data())[2 * i + 1] != total) return "wrong total";
        }
    }
    return "right";
}

std::string run(const std::string& name, Stream& stream) {
    Ints values(stream, kThreads);
    const Grid grid = {dim3(1), dim3(kThreads)};
    const auto start = [&](void (*kernel)(int*), const Grid& of) {
        launch(name.c_str(), {3, 5}, kernel, of, stream, values.device());
        stream.synchronize();
        return std::to_string(values.hash());
    };
    if (name == "barrier") return start(reverse<true>, grid);
    if (name == "missing-barrier") return start(reverse<false>, grid);
    if (name == "diverged") return start(part_of_the_block_waits, grid);
    if (name == "shuffle") return start(shuffle_from_outside, grid);
    if (name == "overflow") return start(write_behind, grid);
    if (name == "overflow-shared") return start(write_behind_shared, {dim3(1), dim3(kThreads)});
    if (name == "overflow-dynamic") return start(write_behind_dynamic, {dim3(1), dim3(kThreads), kThreads * sizeof(int)});
    if (name == "too-many-threads") return start(reverse<true>, {dim3(1), dim3(2048)});
    if (name == "too-much-shared") return start(reverse<true>, {dim3(1), dim3(kThreads), 1 << 20});
    if (name == "no-blocks") return start(write_behind, {dim3(0), dim3(kThreads)});
    if (name == "primitives") return check_primitives(stream);
    return "no such case";
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 3) return 2;
    emulator_set_order(std::atoi(arguments[2]), 5);
    const std::shared_ptr<Stream> stream = Stream::create(0);
    try {
        std::puts(run(arguments[1], *stream).c_str());
    } catch (const Error& error) {
        std::printf("%s; %s\n", error.what(), emulator_last_fault());
    }
    std::fflush(stdout);
    std::_Exit(0);  // a device that is lost frees nothing
}
