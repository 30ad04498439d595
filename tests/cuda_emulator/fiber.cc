#include "fiber.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace emulated {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t kStack = 512 << 10;
#else
constexpr size_t kStack = 128 << 10;
#endif

void leave(Place& from, const Place& to, bool last) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(last ? nullptr : &from.fake_stack, to.bottom, to.bytes);
#else
    static_cast<void>(from), static_cast<void>(to), static_cast<void>(last);
#endif
}

void enter(Place& self, Place* back) {
#if defined(__SANITIZE_ADDRESS__)
    const void* bottom = nullptr;
    size_t bytes = 0;
    __sanitizer_finish_switch_fiber(self.fake_stack, &bottom, &bytes);
    if (back) back->bottom = bottom, back->bytes = bytes;
#else
    static_cast<void>(self), static_cast<void>(back);
#endif
}

#if defined(__x86_64__)

// Registers that a function must keep go onto the stack, the stack is changed, and those of the other come back:
// swapcontext without its two system calls, which would take most of the time of a test.
asm(R"(
.text
.p2align 4
.hidden spinert_emulated_switch
.globl spinert_emulated_switch
.type spinert_emulated_switch, @function
spinert_emulated_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
.size spinert_emulated_switch, .-spinert_emulated_switch
)");
extern "C" void spinert_emulated_switch(void** from, void* to);

#endif

}  // namespace

Stacks::~Stacks() {
    for (Stack& stack : stacks_) {
        if (stack.bottom) munmap(stack.bottom, kStack);
#if !defined(__x86_64__)
        delete static_cast<ucontext_t*>(stack.spare);
#endif
    }
}

Place Stacks::prepare(size_t index, void (*entry)()) {
    Stack& stack = stacks_[index];
    if (!stack.bottom) {
        void* memory = mmap(nullptr, kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        stack.bottom = static_cast<char*>(memory);
        mprotect(stack.bottom, static_cast<size_t>(sysconf(_SC_PAGESIZE)), PROT_NONE);
    }
#if defined(__SANITIZE_ADDRESS__)
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    ASAN_UNPOISON_MEMORY_REGION(stack.bottom + page, kStack - page);  // what an abandoned kernel left behind
#endif
    Place place;
    place.bottom = stack.bottom;
    place.bytes = kStack;
#if defined(__x86_64__)
    // as if `entry` had been called by nobody and paused: where it returns to, its address, six registers; the stack is
    // aligned as after a call
    auto* top = reinterpret_cast<uintptr_t*>(stack.bottom + kStack);
    *--top = 0;
    *--top = reinterpret_cast<uintptr_t>(entry);
    for (int i = 0; i < 6; ++i) *--top = 0;
    place.context = top;
#else
    if (!stack.spare) stack.spare = new ucontext_t;
    auto* context = static_cast<ucontext_t*>(stack.spare);
    getcontext(context);
    context->uc_stack.ss_sp = stack.bottom;
    context->uc_stack.ss_size = kStack;
    context->uc_link = nullptr;
    makecontext(context, entry, 0);
    place.context = context;
#endif
    return place;
}

void switch_place(Place& from, Place& to, bool last) {
    leave(from, to, last);
#if defined(__x86_64__)
    spinert_emulated_switch(&from.context, to.context);
#else
    ucontext_t here;
    if (!from.context) from.context = &here;
    swapcontext(static_cast<ucontext_t*>(from.context), static_cast<ucontext_t*>(to.context));
    if (from.context == &here) from.context = nullptr;
#endif
    enter(from, nullptr);
}

void arrived(Place& back) {
    Place nowhere;
    enter(nowhere, &back);
}

}  // namespace emulated
