// Device memory in the order of a stream, and page-locked host memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "event.h"
#include "stream.h"

namespace spinert::cuda {

// Allocations of device and pinned memory by this module since it was loaded.
uint64_t allocations();

// Device memory that work queued on a stream may use from now on. It is freed in the order of that stream, so work of
// another stream must be behind it (see `order`).
class Buffer {
  public:
    Buffer(Stream& stream, size_t bytes);
    ~Buffer();
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    void* data() const { return data_; }
    size_t bytes() const { return bytes_; }

  private:
    std::shared_ptr<Queue> queue_;
    void* data_ = nullptr;
    size_t bytes_;
};

// Page-locked host memory, which the device copies from and to while the host goes on. Freeing it waits for the copies.
class Pinned {
  public:
    static std::shared_ptr<Pinned> create(size_t bytes);
    // The one that these bytes lie in, nullptr where they are ordinary memory.
    static std::shared_ptr<Pinned> find(const void* data, size_t bytes);
    explicit Pinned(size_t bytes);
    ~Pinned();
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;

    void* data() const { return data_; }
    size_t bytes() const { return bytes_; }
    // A copy from or to it was queued.
    void used_by(const Queue& queue);

  private:
    struct Use {
        int device;
        cudaStream_t stream;
        std::unique_ptr<Event> event;
    };
    void* data_ = nullptr;
    size_t bytes_;
    std::mutex lock_;
    std::vector<Use> uses_;
};

}  // namespace spinert::cuda
