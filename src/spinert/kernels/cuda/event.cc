#include "event.h"

#include "device.h"
#include "error.h"

namespace spinert::cuda {

Event::Event(int device, bool timed) : device_(device) {
    const OnDevice here(device);
    check(cudaEventCreateWithFlags(&event_, timed ? 0 : cudaEventDisableTiming), "creating an event");
}

Event::~Event() {
    if (event_) cudaEventDestroy(event_);
}

void Event::record(const Queue& queue) {
    const OnDevice here(queue.device);
    if (queue.device != device_) {
        throw Error("recording an event of device " + std::to_string(device_) + " on a stream of device " +
                        std::to_string(queue.device),
                    "make the event for the device of the stream: Event(device)");
    }
    check(cudaEventRecord(event_, queue.stream), "recording an event");
}

bool Event::query() const {
    const cudaError_t state = cudaEventQuery(event_);
    if (state == cudaErrorNotReady) return false;
    check(state, "asking for an event");
    return true;
}

void Event::synchronize() const { check(cudaEventSynchronize(event_), "work queued before an event"); }

float Event::elapsed_ms(const Event& start) const {
    float ms = 0.0f;
    const cudaError_t state = cudaEventElapsedTime(&ms, start.event_, event_);
    if (state == cudaErrorNotReady) {
        cudaGetLastError();
        throw Error("the time to an event that was not reached yet", "synchronize the event first");
    }
    if (state == cudaErrorInvalidResourceHandle) {
        cudaGetLastError();
        throw Error("the time between two events of which one was not recorded", "record both on their streams first");
    }
    check(state, "the time between two events");
    return ms;
}

void wait(const Queue& queue, const Event& event) {
    const OnDevice here(queue.device);
    check(cudaStreamWaitEvent(queue.stream, event.get(), 0), "waiting for an event");
}

}  // namespace spinert::cuda
