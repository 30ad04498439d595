#include "stream.h"

#include <map>
#include <mutex>

#include "device.h"
#include "error.h"
#include "event.h"
#include "memory.h"

namespace spinert::cuda {

Queue::~Queue() {
    if (owned) cudaStreamDestroy(stream);  // returns at once; what is queued still runs
}

bool Queue::capturing() const {
    cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
    check(cudaStreamIsCapturing(stream, &status), "asking whether a stream is captured");
    return status != cudaStreamCaptureStatusNone;
}

void Queue::free_later(void* memory) noexcept {
    try {
        const OnDevice here(device);
        if (kept) {
            to_free.push_back(memory);
        } else {
            cudaFreeAsync(memory, stream);
        }
    } catch (const std::exception&) {  // the process is ending and the driver gone, and the memory with it
    }
}

void order(const Queue& first, const Queue& then) {
    if (first.stream == then.stream && first.device == then.device) return;
    if (first.capturing() || then.capturing()) {
        throw Error("an array of another stream than the captured one",
                    "before the capture, take it to that stream: device_array(array, stream)");
    }
    Event event(first.device, false);
    event.record(first);
    check(cudaStreamWaitEvent(then.stream, event.get(), 0), "ordering two streams");
}

std::shared_ptr<Stream> Stream::create(int device) {
    const OnDevice here(device);
    cudaStream_t stream = nullptr;
    check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "creating a stream");
    return std::make_shared<Stream>(std::make_shared<Queue>(device, stream, true, nullptr));
}

std::shared_ptr<Stream> Stream::adopt(int device, uintptr_t stream, std::shared_ptr<void> keeper) {
    const cudaStream_t handle = stream == 0 ? cudaStreamLegacy : reinterpret_cast<cudaStream_t>(stream);
    if (handle == cudaStreamLegacy) return of_device(device);
    return std::make_shared<Stream>(std::make_shared<Queue>(device, handle, false, std::move(keeper)));
}

std::shared_ptr<Stream> Stream::of_device(int device) {
    static std::mutex lock;
    static std::map<int, std::shared_ptr<Stream>> streams;
    const OnDevice here(device);  // refuses a device that is not there
    const std::lock_guard<std::mutex> alone(lock);
    std::shared_ptr<Stream>& stream = streams[device];
    if (!stream) stream = std::make_shared<Stream>(std::make_shared<Queue>(device, cudaStreamLegacy, false, nullptr));
    return stream;
}

void Stream::synchronize() {
    const OnDevice here(device());
    if (queue_->capturing()) {
        throw Error("synchronizing a stream that is being captured", "synchronize after the capture");
    }
    check(cudaStreamSynchronize(get()), "work queued on a stream before it was synchronized");
}

void* Stream::scratch(size_t bytes) {
    if (!scratch_ || scratch_->bytes() < bytes) {
        size_t capacity = size_t{1} << 16;
        while (capacity < bytes) capacity *= 2;
        scratch_ = std::make_shared<Buffer>(*this, capacity);  // the old one is freed in the order of the stream
    }
    if (queue_->kept) queue_->kept->push_back(scratch_);
    return scratch_->data();
}

}  // namespace spinert::cuda
