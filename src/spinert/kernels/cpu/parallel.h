// Split a range over threads. The body must not throw; results may not depend on how the range is cut.
#pragma once

#include <algorithm>
#include <system_error>
#include <thread>
#include <vector>

namespace spinert {

// body(part, begin, end) for `threads` nearly equal parts of 0..count, the first one on the calling thread.
template <class Body>
void parallel_for(size_t count, int threads, const Body& body) {
    const size_t parts = std::max<size_t>(1, std::min<size_t>(count, static_cast<size_t>(threads)));
    const auto run = [&](size_t part) { body(part, count * part / parts, count * (part + 1) / parts); };
    std::vector<std::thread> workers;
    workers.reserve(parts - 1);
    size_t part = 1;
    try {
        for (; part < parts; ++part) workers.emplace_back(run, part);
    } catch (const std::system_error&) {  // no more threads to be had: the rest runs here
    }
    for (; part < parts; ++part) run(part);
    run(0);
    for (std::thread& worker : workers) worker.join();
}

}  // namespace spinert
