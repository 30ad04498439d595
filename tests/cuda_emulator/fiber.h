// A thread of execution with a stack of its own, resumed and paused by hand.
#pragma once

#include <cstddef>

namespace emulated {

// Whoever has paused: a stack pointer, and what AddressSanitizer must know of the stack.
struct Place {
    void* context = nullptr;  // where to go on
    void* fake_stack = nullptr;
    const void* bottom = nullptr;
    size_t bytes = 0;
};

// Stacks with a guard page below; a stack is used again by the next block.
class Stacks {
  public:
    ~Stacks();
    // A place from which `entry` begins on stack `index` when it is switched to. `entry` never returns.
    Place prepare(size_t index, void (*entry)());

  private:
    struct Stack {
        char* bottom;
        void* spare;  // context of the portable switch
    };
    static constexpr size_t kMost = 1024;
    Stack stacks_[kMost] = {};
};

// Pause here, keeping the place in `from`, and go on at `to`. `last`: `from` is never resumed.
void switch_place(Place& from, Place& to, bool last);
// What a place does first after it was switched to for the first time.
void arrived(Place& back);

}  // namespace emulated
