// Runs a kernel: block after block, the threads of a block as fibers that pause at barriers only.
//
// Between two barriers a thread runs alone. In which order the threads run is chosen from outside: a result that
// depends on it shows a missing barrier or a race.
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "cuda_runtime.h"
#include "emulator.h"
#include "fiber.h"

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace emulated {
namespace {

constexpr size_t kSharedOfBlock = 48 << 10;  // without cudaFuncSetAttribute
constexpr size_t kSharedOfKernel = 1 << 10;  // of it for static arrays, whose size is not known here
constexpr int kSharedAtMost = 64 << 10;      // of the smallest device that is supported

enum class State { kReady, kAtBlock, kAtWarp, kDone };

struct Thread {
    Place place;
    uint3 index;
    State state;
    unsigned mask;  // of the warp barrier
    uint64_t said;
    bool vote;
};

struct Block {
    std::vector<Thread> threads;
    std::vector<uint64_t> lanes;  // of every warp, as of its last barrier
    Thread* running;
    Place scheduler;
    int voted;     // of those that came to the last block barrier
    int arrived;
    std::string fault;
};

std::mutex one_kernel;  // built-in variables and shared memory are there once
Stacks stacks;
Block block;
const std::function<void()>* body;
std::unique_ptr<unsigned char[]> dynamic;
std::map<const void*, int> allowed;
Order order = Order::kForward;
unsigned seed = 0;

void thread_main() {
    arrived(block.scheduler);
    (*body)();
    block.running->state = State::kDone;
    switch_place(block.running->place, block.scheduler, true);
    std::abort();  // never resumed
}

void pause(State state) {
    Thread& self = *block.running;
    self.state = state;
    switch_place(self.place, block.scheduler, false);
}

std::vector<size_t> in_order(size_t count, std::mt19937& chance) {
    std::vector<size_t> numbers(count);
    for (size_t i = 0; i < count; ++i) numbers[i] = order == Order::kReverse ? count - 1 - i : i;
    if (order == Order::kShuffled) std::shuffle(numbers.begin(), numbers.end(), chance);
    return numbers;
}

// Lets go on the threads of a warp whose whole mask has come to the barrier; threads that have ended count as there.
void release_warp(size_t first, size_t end) {
    unsigned present[32] = {}, alive = 0;
    for (size_t i = first; i < end; ++i) {
        if (block.threads[i].state != State::kDone) alive |= 1u << (i - first);
        if (block.threads[i].state == State::kAtWarp) present[i - first] = block.threads[i].mask;
    }
    for (size_t i = first; i < end; ++i) {
        const unsigned mask = present[i - first];
        if (mask == 0 || block.threads[i].state != State::kAtWarp) continue;
        if (!(mask >> (i - first) & 1u)) {
            block.fault = "a thread waits at a warp barrier whose mask lacks it";
            return;
        }
        unsigned there = 0;
        for (unsigned j = 0; j < 32; ++j) there |= present[j] == mask ? 1u << j : 0u;
        if ((mask & alive & ~there) != 0) continue;
        for (size_t j = first; j < end; ++j) {
            if (!((mask & there) >> (j - first) & 1u)) continue;
            block.lanes[j] = block.threads[j].said;
            block.threads[j].state = State::kReady;
        }
    }
}

bool release_block() {
    int arrived = 0, voted = 0;
    for (const Thread& thread : block.threads) {
        if (thread.state == State::kDone) continue;
        if (thread.state != State::kAtBlock) return false;
        ++arrived;
        voted += thread.vote;
    }
    block.arrived = arrived;
    block.voted = voted;
    for (Thread& thread : block.threads) {
        if (thread.state == State::kAtBlock) thread.state = State::kReady;
    }
    return arrived > 0;
}

// Runs the threads of a warp to their next barrier and lets go those that have met there; false if all must wait.
bool step_warp(size_t first, size_t end, std::mt19937& chance) {
    bool any = false;
    for (size_t i : in_order(end - first, chance)) {
        Thread& thread = block.threads[first + i];
        if (thread.state != State::kReady) continue;
        any = true;
        block.running = &thread;
        threadIdx = thread.index;
        switch_place(block.scheduler, thread.place, false);
        if (!block.fault.empty()) return false;
    }
    if (any) release_warp(first, end);
    return any;
}

// To the next barrier of the block. Each warp as far as it comes before the next one begins, so that what it does too
// early shows; shuffled, one step of any warp that can go on, then of another.
void run_warps(size_t warps, size_t count, std::mt19937& chance) {
    const auto step = [&](size_t warp) { return step_warp(32 * warp, std::min(32 * warp + 32, count), chance); };
    bool any = true;
    while (any) {
        any = false;
        for (size_t warp : in_order(warps, chance)) {
            if (step(warp)) any = true;
            while (order != Order::kShuffled && step(warp)) {
            }
            if (!block.fault.empty()) return;
            if (any && order == Order::kShuffled) break;
        }
    }
}

void run_block(std::mt19937& chance) {
    const size_t count = block.threads.size();
    block.lanes.assign((count + 31) / 32 * 32, 0);
    for (size_t i = 0; i < count; ++i) {
        Thread& thread = block.threads[i];
        const unsigned at = static_cast<unsigned>(i);
        thread = {};
        thread.place = stacks.prepare(i, thread_main);
        thread.index = {at % blockDim.x, at / blockDim.x % blockDim.y, at / blockDim.x / blockDim.y};
        thread.state = State::kReady;
    }
    const size_t warps = (count + 31) / 32;
    do {
        run_warps(warps, count, chance);
        if (!block.fault.empty()) return;
    } while (release_block());
    for (const Thread& thread : block.threads) {
        if (thread.state != State::kDone) block.fault = "threads of a block wait at different barriers";
    }
}

bool fits(const cudaLaunchConfig_t& config, int shared) {
    const dim3 g = config.gridDim, b = config.blockDim;
    const bool grid = 1 <= g.x && g.x <= 0x7fffffffu && 1 <= g.y && g.y <= 65535 && 1 <= g.z && g.z <= 65535;
    const bool threads = 1 <= b.x && b.x <= 1024 && 1 <= b.y && b.y <= 1024 && 1 <= b.z && b.z <= 64;
    return grid && threads && uint64_t{b.x} * b.y * b.z <= 1024 &&
           config.dynamicSmemBytes <= std::max(kSharedOfBlock - kSharedOfKernel, static_cast<size_t>(shared));
}

void run(const cudaLaunchConfig_t& config, const std::function<void()>& kernel) {
    const std::lock_guard<std::mutex> alone(one_kernel);
    body = &kernel;
    gridDim = config.gridDim;
    blockDim = config.blockDim;
    block.fault.clear();
    block.threads.resize(size_t{blockDim.x} * blockDim.y * blockDim.z);
    std::mt19937 chance(seed);
    const size_t blocks = size_t{gridDim.x} * gridDim.y * gridDim.z;
    for (size_t i : in_order(blocks, chance)) {
        blockIdx = {static_cast<unsigned>(i % gridDim.x), static_cast<unsigned>(i / gridDim.x % gridDim.y),
                    static_cast<unsigned>(i / gridDim.x / gridDim.y)};
        // as many elements as asked for, so that AddressSanitizer sees the end; filled anew for every block
        dynamic = std::make_unique<unsigned char[]>(config.dynamicSmemBytes);
        std::memset(dynamic.get(), 0xcd, config.dynamicSmemBytes);
        run_block(chance);
        if (!block.fault.empty()) return fail_device(cudaErrorLaunchFailure, block.fault);
    }
}

}  // namespace

void set_order(Order chosen, unsigned chosen_seed) {
    const std::lock_guard<std::mutex> alone(one_kernel);
    order = chosen;
    seed = chosen_seed;
}

void wait_for_block() { pause(State::kAtBlock); }

int wait_for_block(bool said, int (*of)(int yes, int all)) {
    block.running->vote = said;
    pause(State::kAtBlock);
    return of(block.voted, block.arrived);
}

const uint64_t* wait_for_warp(unsigned mask, uint64_t said) {
    block.running->mask = mask;
    block.running->said = said;
    pause(State::kAtWarp);
    const size_t index = static_cast<size_t>(block.running - block.threads.data());
    return block.lanes.data() + index / 32 * 32;
}

unsigned lane() { return static_cast<unsigned>(block.running - block.threads.data()) % 32; }

void fault(const char* what) {
    block.fault = what;
    switch_place(block.running->place, block.scheduler, true);
    std::abort();
}

void* dynamic_shared() { return dynamic.get(); }

cudaError_t allow_shared(const void* kernel, int bytes) {
    if (bytes > kSharedAtMost) return failed(cudaErrorInvalidValue);
    allowed[kernel] = bytes;
    return failed(usable());
}

cudaError_t launch(const cudaLaunchConfig_t& config, const void* kernel, std::function<void()> call) {
    if (const cudaError_t error = usable(); error != cudaSuccess) return failed(error);
    if (!fits(config, allowed.count(kernel) ? allowed[kernel] : 0)) return failed(cudaErrorInvalidConfiguration);
    return failed(enqueue(config.stream, [config, call = std::move(call)] { run(config, call); }));
}

}  // namespace emulated
