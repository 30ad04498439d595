// Arrays that must not share memory.
#pragma once

#include <cstdint>

// Whether an output shares no memory with an input.
template <class Input, class Output>
bool apart(const Input& input, const Output& output) {
    const auto from = reinterpret_cast<uintptr_t>(input.data()), to = reinterpret_cast<uintptr_t>(output.data());
    return from + input.nbytes() <= to || to + output.nbytes() <= from;
}
