#include "streams.h"

#include <algorithm>
#include <set>

#include "emulator.h"

namespace emulated {
namespace {

constexpr int kDevices = 2;

std::set<Stream*> streams;
std::set<Stream*> destroyed;  // with work that still waits
Stream defaults[kDevices] = {{0, {}, nullptr, false}, {1, {}, nullptr, false}};
bool lazy = false;

thread_local Graph* captured = nullptr;  // begun by this thread
thread_local cudaStreamCaptureMode mode = cudaStreamCaptureModeGlobal;

}  // namespace

Stream* resolve(cudaStream_t stream) {
    if (reinterpret_cast<uintptr_t>(stream) <= 2) return &defaults[current_device()];
    return streams.count(stream) ? stream : nullptr;
}

bool step(Stream& stream) {
    if (stream.waiting.empty() || stream.busy) return false;
    const Work work = std::move(stream.waiting.front());
    stream.waiting.pop_front();
    stream.busy = true;
    work();
    stream.busy = false;
    return true;
}

void drain(Stream& stream, const Mark* mark) {
    while (!(mark && mark->reached) && step(stream)) {
    }
}

void drain_all() {
    for (Stream& stream : defaults) drain(stream);
    for (Stream* stream : streams) drain(*stream);
    for (Stream* stream : destroyed) {
        drain(*stream);
        delete stream;
    }
    destroyed.clear();
}

void spoil(Stream& stream) {
    if (stream.capture) stream.capture->spoiled = true;
}

bool spoiled_by_waiting() {
    if (!captured || mode == cudaStreamCaptureModeRelaxed) return false;
    return captured->spoiled = true;
}

cudaError_t enqueue(cudaStream_t handle, Work work) {
    const Guard guard(api);
    Stream* stream = resolve(handle);
    if (!stream) return cudaErrorInvalidResourceHandle;
    if (stream->device != current_device()) return cudaErrorInvalidResourceHandle;
    if (stream->capture) {
        if (stream->capture->spoiled) return cudaErrorStreamCaptureInvalidated;
        stream->capture->works.push_back(std::move(work));
        return cudaSuccess;
    }
    stream->waiting.push_back(std::move(work));
    if (!lazy) drain(*stream);
    return usable();
}

}  // namespace emulated

using namespace emulated;

void emulator_set_lazy(int on) {
    const Guard guard(api);
    lazy = on != 0;
    if (!lazy) drain_all();
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
    const Guard guard(api);
    if (usable() != cudaSuccess) return failed(usable());
    if (flags != cudaStreamNonBlocking) return failed(cudaErrorInvalidValue);  // others are not emulated
    *stream = new Stream{current_device(), {}, nullptr, false};
    streams.insert(*stream);
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t handle) {
    const Guard guard(api);
    if (!streams.count(handle)) return failed(cudaErrorInvalidResourceHandle);
    streams.erase(handle);
    if (handle->waiting.empty()) {
        delete handle;
    } else {
        destroyed.insert(handle);
    }
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t handle) {
    const Guard guard(api);
    Stream* stream = resolve(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    if (stream->capture) {
        spoil(*stream);
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    drain(*stream);
    return failed(usable());
}

cudaError_t cudaDeviceSynchronize() {
    const Guard guard(api);
    drain_all();
    return failed(usable());
}

cudaError_t cudaStreamGetDevice(cudaStream_t handle, int* device) {
    const Guard guard(api);
    const Stream* stream = resolve(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    *device = stream->device;
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t handle, cudaEvent_t event, unsigned) {
    const Guard guard(api);
    Stream* stream = resolve(handle);
    if (!stream || !event) return failed(cudaErrorInvalidResourceHandle);
    const std::shared_ptr<Mark> mark = event->mark;
    if (!mark) return cudaSuccess;
    if (mark->graph) {
        if (stream->capture && stream->capture != mark->graph) return failed(cudaErrorStreamCaptureIsolation);
        if (!stream->capture) mark->graph->streams.push_back(stream);
        stream->capture = mark->graph;
        return cudaSuccess;
    }
    if (stream->capture) {
        spoil(*stream);
        return failed(cudaErrorStreamCaptureIsolation);
    }
    stream->waiting.push_back([mark] {
        if (!mark->reached) drain(*mark->stream, mark.get());
    });
    if (!lazy) drain(*stream);
    return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t handle, cudaStreamCaptureStatus* status) {
    const Guard guard(api);
    const Stream* stream = resolve(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    *status = stream->capture ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t handle, cudaStreamCaptureMode) {
    const Guard guard(api);
    Stream* stream = resolve(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    if (reinterpret_cast<uintptr_t>(handle) <= 2 || stream->capture) return failed(cudaErrorStreamCaptureUnsupported);
    stream->capture = captured = new Graph;
    stream->capture->streams.push_back(stream);
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t handle, cudaGraph_t* graph) {
    const Guard guard(api);
    Stream* stream = resolve(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    if (!stream->capture) return failed(cudaErrorStreamCaptureUnmatched);
    *graph = stream->capture;
    if (captured == *graph) captured = nullptr;
    for (Stream* other : (*graph)->streams) other->capture = nullptr;
    if (!(*graph)->spoiled) return cudaSuccess;
    delete *graph;
    *graph = nullptr;
    return failed(cudaErrorStreamCaptureInvalidated);
}

cudaError_t cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* other) {
    std::swap(mode, *other);
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
    *executable = new Graph{graph->works, {}, false};
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t stream) {
    return failed(enqueue(stream, [works = graph->works] {
        for (const Work& work : works) work();
    }));
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) { return delete graph, cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) { return delete graph, cudaSuccess; }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags) {
    if (usable() != cudaSuccess) return failed(usable());
    *event = new Event{current_device(), (flags & cudaEventDisableTiming) == 0, nullptr};
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) { return delete event, cudaSuccess; }

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t handle) {
    const Guard guard(api);
    Stream* stream = resolve(handle);
    if (!stream || stream->device != event->device) return failed(cudaErrorInvalidResourceHandle);
    event->mark = std::make_shared<Mark>();
    event->mark->stream = stream;
    event->mark->graph = stream->capture;
    if (stream->capture) return cudaSuccess;
    stream->waiting.push_back([mark = event->mark] {
        mark->reached = true;
        mark->at = std::chrono::steady_clock::now();
    });
    if (!lazy) drain(*stream);
    return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
    const Guard guard(api);
    if (!event->mark) return cudaSuccess;
    if (event->mark->graph) return failed(cudaErrorCapturedEvent);
    if (spoiled_by_waiting()) return failed(cudaErrorStreamCaptureUnsupported);
    if (!event->mark->reached) step(*event->mark->stream);  // so that asking again and again comes to an end
    return event->mark->reached ? usable() : cudaErrorNotReady;
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
    const Guard guard(api);
    if (!event->mark) return cudaSuccess;
    if (event->mark->graph) return failed(cudaErrorCapturedEvent);
    if (spoiled_by_waiting()) return failed(cudaErrorStreamCaptureUnsupported);
    if (!event->mark->reached) drain(*event->mark->stream, event->mark.get());
    return failed(usable());
}

cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
    const Guard guard(api);
    if (!start->timed || !end->timed || !start->mark || !end->mark) return failed(cudaErrorInvalidResourceHandle);
    if (!start->mark->reached || !end->mark->reached) return cudaErrorNotReady;
    *ms = std::chrono::duration<float, std::milli>(end->mark->at - start->mark->at).count();
    return cudaSuccess;
}
