// Split a range over threads that stay from call to call: starting one costs as much as a short kernel.
#pragma once

#include <algorithm>
#include <cstddef>

namespace spinert {

// run(body, part) once for every part of 0..parts, on up to `parts` threads, the caller's among them. Calls from
// several threads share the workers, and each makes progress on its own thread; so does a call after a fork.
void run_parts(size_t parts, void (*run)(const void* body, size_t part), const void* body);

// body(part, begin, end) for `threads` nearly equal parts of 0..count. The body must not throw; results may not depend
// on how the range is cut.
template <class Body>
void parallel_for(size_t count, int threads, const Body& body) {
    const size_t parts = std::max<size_t>(1, std::min<size_t>(count, static_cast<size_t>(threads)));
    if (parts == 1) return body(0, 0, count);
    const auto run = [&](size_t part) { body(part, count * part / parts, count * (part + 1) / parts); };
    run_parts(parts, [](const void* run_one, size_t part) { (*static_cast<const decltype(run)*>(run_one))(part); }, &run);
}

}  // namespace spinert
