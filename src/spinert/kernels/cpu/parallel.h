// Split a range over threads that stay from call to call: starting one costs as much as a short kernel.
#pragma once

#include <algorithm>
#include <cstddef>

namespace spinert {

// run(body, slot, part) once for every part of 0..parts, on at most `threads` threads, the caller's among them; each of
// them has a slot of its own, 0..threads - 1. Calls from several threads share the workers, and each makes progress on
// its own thread; so does a call after a fork.
void run_parts(size_t parts, size_t threads, void (*run)(const void* body, size_t slot, size_t part), const void* body);

// body(part, begin, end) for `threads` nearly equal parts of 0..count. The body must not throw; results may not depend
// on how the range is cut.
template <class Body>
void parallel_for(size_t count, int threads, const Body& body) {
    const size_t parts = std::max<size_t>(1, std::min<size_t>(count, static_cast<size_t>(threads)));
    if (parts == 1) return body(0, 0, count);
    const auto run = [&](size_t part) noexcept { body(part, count * part / parts, count * (part + 1) / parts); };
    run_parts(parts, parts,
              [](const void* one, size_t, size_t part) { (*static_cast<const decltype(run)*>(one))(part); }, &run);
}

// body(slot, begin, end) for pieces of at most `piece` of 0..count, each thread taking the next as it finishes one: no
// thread waits long for another that began late or was slowed down. Scratch belongs to a slot, 0..threads - 1: its
// pieces run one after another. The body must not throw; results may not depend on what slot a piece falls to.
template <class Body>
void parallel_pieces(size_t count, size_t piece, int threads, const Body& body) {
    const size_t pieces = (count + piece - 1) / piece;
    const size_t slots = std::min<size_t>(pieces, static_cast<size_t>(threads));
    const auto run = [&](size_t slot, size_t i) noexcept { body(slot, i * piece, std::min(count, (i + 1) * piece)); };
    if (slots <= 1) {
        for (size_t i = 0; i < pieces; ++i) run(0, i);
        return;
    }
    run_parts(pieces, slots,
              [](const void* one, size_t slot, size_t i) { (*static_cast<const decltype(run)*>(one))(slot, i); }, &run);
}

}  // namespace spinert
