// Arrays that must not share memory.
#pragma once

#include <cstdint>

#include "arrays.h"

// Whether two arrays share no memory.
template <class A, class B>
bool apart(const A& a, const B& b) {
    const auto begin_a = reinterpret_cast<uintptr_t>(a.data()), begin_b = reinterpret_cast<uintptr_t>(b.data());
    return a.nbytes() == 0 || b.nbytes() == 0 || begin_a + a.nbytes() <= begin_b || begin_b + b.nbytes() <= begin_a;
}

// A kernel reads its inputs while it writes its outputs: one in the place of the other would be wrong, and unsafe where
// places are looked up in it.
template <class Output, class... Others>
void require_apart(const char* what, const Output& output, const Others&... others) {
    require((apart(output, others) && ...), what);
}
