// Streams: queues of work on a device, owned or somebody else's, with scratch memory for the kernels.
#pragma once

#include <cuda_runtime_api.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

namespace spinert::cuda {

// The stream itself, kept alive by everything whose memory must be freed in its order.
struct Queue {
    Queue(int device_, cudaStream_t stream_, bool owned_, std::shared_ptr<void> keeper_)
        : device(device_), stream(stream_), owned(owned_), keeper(std::move(keeper_)) {}
    ~Queue();
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    bool capturing() const;
    // Frees memory once all work queued so far has passed; after the capture, if one is going on.
    void free_later(void* memory) noexcept;

    const int device;
    const cudaStream_t stream;
    const bool owned;
    const std::shared_ptr<void> keeper;         // of a foreign stream
    std::vector<std::shared_ptr<void>>* kept = nullptr;  // by the graph that is being captured
    std::vector<void*> to_free;                 // after the capture
};

// `then` runs behind what `first` has queued so far.
void order(const Queue& first, const Queue& then);

// As long as it lives, the calling thread may wait and free although it captures a stream: for what dies within a
// capture and is no part of it. Otherwise CUDA refuses to, and gives up the capture.
class BesideCapture {
  public:
    BesideCapture() { cudaThreadExchangeStreamCaptureMode(&mode_); }
    ~BesideCapture() { cudaThreadExchangeStreamCaptureMode(&mode_); }
    BesideCapture(const BesideCapture&) = delete;
    BesideCapture& operator=(const BesideCapture&) = delete;

  private:
    cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;  // that of the thread meanwhile
};

class Buffer;

// Not for two threads at a time.
class Stream {
  public:
    // A new one that does not wait for the legacy default stream.
    static std::shared_ptr<Stream> create(int device);
    // Somebody else's; 0 and 1 are the legacy default stream, 2 that of the calling thread. `keeper` outlives it.
    static std::shared_ptr<Stream> adopt(int device, uintptr_t stream, std::shared_ptr<void> keeper);
    // The legacy default stream, where PyCUDA, CuPy and torch work unless told otherwise. One object for each device.
    static std::shared_ptr<Stream> of_device(int device);

    explicit Stream(std::shared_ptr<Queue> queue) : queue_(std::move(queue)) {}

    int device() const { return queue_->device; }
    cudaStream_t get() const { return queue_->stream; }
    const std::shared_ptr<Queue>& queue() const { return queue_; }

    // Waits until everything queued so far is done. The only way to wait for a stream.
    void synchronize();

    // At least `bytes` of memory for kernels queued on this stream, until the next call. Grows, and never during a
    // capture: what a graph needs must have been there before.
    void* scratch(size_t bytes);

    // Of device memory for this stream: arrays and scratch.
    uint64_t allocations() const { return allocations_; }
    void count_allocation() { ++allocations_; }

  private:
    std::shared_ptr<Queue> queue_;
    std::shared_ptr<Buffer> scratch_;
    std::atomic<uint64_t> allocations_{0};
};

}  // namespace spinert::cuda
