// What the parts of the emulator know of each other, and the hooks by which tests drive it.
#pragma once

#include <functional>
#include <mutex>
#include <string>

#include "cuda_runtime_api.h"

namespace emulated {

// Order of the blocks of a grid, and of the threads of a block between two barriers.
enum class Order { kForward, kReverse, kShuffled };
void set_order(Order order, unsigned seed);

// A fault of a kernel: every later call says so, as after one on a real device.
void fail_device(cudaError_t error, const std::string& what);
cudaError_t usable();
// Keeps an error for cudaGetLastError and hands it on.
cudaError_t failed(cudaError_t error);

// Work in the order of its stream: run now, or when somebody waits for it, or never but as part of a graph.
cudaError_t enqueue(cudaStream_t stream, std::function<void()> work);

int current_device();

// API calls of several threads take turns.
using Guard = std::lock_guard<std::recursive_mutex>;
extern std::recursive_mutex api;

}  // namespace emulated

// For ctypes. Orders are 0 forward, 1 reverse, 2 shuffled.
extern "C" {
__attribute__((visibility("default"))) void emulator_set_order(int order, unsigned seed);
// 1: work waits until somebody needs its result, so that a missing wait between streams shows.
__attribute__((visibility("default"))) void emulator_set_lazy(int lazy);
// The allocation after this many fails, -1 for none.
__attribute__((visibility("default"))) void emulator_fail_allocation(int after);
// Forgets a fault of a kernel.
__attribute__((visibility("default"))) void emulator_reset();
__attribute__((visibility("default"))) const char* emulator_last_fault();
// Bytes on all devices that were not freed; work that waits is done first.
__attribute__((visibility("default"))) size_t emulator_bytes_in_use();
// Queues a copy on a stream as another library would; 0 where that worked.
__attribute__((visibility("default"))) int emulator_copy(void* to, const void* from, size_t bytes, void* stream);
}
