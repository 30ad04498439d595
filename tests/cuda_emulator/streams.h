// Streams, events and graphs as lists of closures.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "cuda_runtime_api.h"

namespace emulated {

using Work = std::function<void()>;

// The place in a stream at which an event was recorded.
struct Mark {
    bool reached = false;
    Stream* stream = nullptr;
    Graph* graph = nullptr;  // recorded within a capture
    std::chrono::steady_clock::time_point at;
};

struct Graph {
    std::vector<Work> works;
    std::vector<Stream*> streams;  // while it is captured
    bool spoiled = false;
};

struct Stream {
    int device;
    std::deque<Work> waiting;
    Graph* capture = nullptr;
    bool busy = false;
};

struct Event {
    int device;
    bool timed;
    std::shared_ptr<Mark> mark;
};

struct Pool {
    int device;
};

// The stream itself, or that of the current device for the default streams. nullptr if there is none like it.
Stream* resolve(cudaStream_t stream);
// Does what waits in a stream, until `mark` is reached if one is given.
void drain(Stream& stream, const Mark* mark = nullptr);
void drain_all();
bool step(Stream& stream);
void spoil(Stream& stream);
// What may wait for the device is not for a thread that captures: whether the capture of this one is spoiled now.
bool spoiled_by_waiting();

}  // namespace emulated
