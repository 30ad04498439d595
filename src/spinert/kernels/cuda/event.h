// Events: places in a stream, to wait for and to time by.
#pragma once

#include <cuda_runtime_api.h>

#include "stream.h"

namespace spinert::cuda {

class Event {
  public:
    explicit Event(int device, bool timed = true);
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    cudaEvent_t get() const { return event_; }
    int device() const { return device_; }

    // Here in the stream; a second record forgets the first.
    void record(const Queue& queue);
    // Whether the stream has passed it; true where it was never recorded.
    bool query() const;
    // Waits until the stream has passed it.
    void synchronize() const;
    // Milliseconds on the device from `start` to this event, both of which must have been passed.
    float elapsed_ms(const Event& start) const;

  private:
    int device_;
    cudaEvent_t event_ = nullptr;
};

// Work queued on `queue` from now on runs after the event.
void wait(const Queue& queue, const Event& event);

}  // namespace spinert::cuda
