#include "memory.h"

#include <atomic>
#include <map>
#include <string>

#include "device.h"
#include "error.h"

namespace spinert::cuda {
namespace {

std::atomic<uint64_t> allocated{0};

// One pool for each device, which keeps what was freed: a second run of the same work asks the driver for nothing.
// It is ours, so that the pool of the embedding program stays as that program has set it.
cudaMemPool_t pool_of(int device) {
    static std::mutex lock;
    static std::map<int, cudaMemPool_t> pools;
    const std::lock_guard<std::mutex> alone(lock);
    const auto found = pools.find(device);
    if (found != pools.end()) return found->second;
    cudaMemPoolProps properties = {};
    properties.allocType = cudaMemAllocationTypePinned;
    properties.location.type = cudaMemLocationTypeDevice;
    properties.location.id = device;
    cudaMemPool_t pool = nullptr;
    check(cudaMemPoolCreate(&pool, &properties), "creating a memory pool");
    uint64_t everything = UINT64_MAX;
    check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &everything), "setting up a memory pool");
    return pools[device] = pool;
}

std::mutex pinned_lock;
std::map<const char*, std::weak_ptr<Pinned>> all_pinned;

}  // namespace

uint64_t allocations() { return allocated; }

Buffer::Buffer(Stream& stream, size_t bytes) : queue_(stream.queue()), bytes_(bytes) {
    if (bytes == 0) return;
    const OnDevice here(stream.device());
    const std::string doing =
        "allocating " + std::to_string(bytes) + " bytes on device " + std::to_string(stream.device());
    if (queue_->capturing()) {
        throw Error(doing + " while the stream is being captured",
                    "run the same work once before capturing it, with its outputs made beforehand: a graph allocates "
                    "nothing");
    }
    check(cudaMallocFromPoolAsync(&data_, bytes, pool_of(stream.device()), stream.get()), doing.c_str());
    stream.count_allocation();
    ++allocated;
}

Buffer::~Buffer() {
    if (data_) queue_->free_later(data_);
}

std::shared_ptr<Pinned> Pinned::create(size_t bytes) {
    const auto made = std::make_shared<Pinned>(bytes);
    const std::lock_guard<std::mutex> alone(pinned_lock);
    if (made->data()) all_pinned[static_cast<const char*>(made->data())] = made;
    return made;
}

std::shared_ptr<Pinned> Pinned::find(const void* data, size_t bytes) {
    const char* begin = static_cast<const char*>(data);
    const std::lock_guard<std::mutex> alone(pinned_lock);
    auto after = all_pinned.upper_bound(begin);
    if (after == all_pinned.begin()) return nullptr;
    const std::shared_ptr<Pinned> found = (--after)->second.lock();
    if (!found || begin + bytes > after->first + found->bytes()) return nullptr;
    return found;
}

Pinned::Pinned(size_t bytes) : bytes_(bytes) {
    if (bytes == 0) return;
    const std::string doing = "allocating " + std::to_string(bytes) + " bytes of page-locked host memory";
    check(cudaHostAlloc(&data_, bytes, cudaHostAllocDefault), doing.c_str());
    ++allocated;
}

Pinned::~Pinned() {
    if (!data_) return;
    const BesideCapture beside;
    for (const Use& use : uses_) cudaEventSynchronize(use.event->get());
    const std::lock_guard<std::mutex> alone(pinned_lock);
    all_pinned.erase(static_cast<const char*>(data_));
    cudaFreeHost(data_);
}

void Pinned::used_by(const Queue& queue) {
    const std::lock_guard<std::mutex> alone(lock_);
    for (Use& use : uses_) {
        if (use.stream == queue.stream && use.device == queue.device) return use.event->record(queue);
    }
    uses_.push_back({queue.device, queue.stream, std::make_unique<Event>(queue.device, false)});
    uses_.back().event->record(queue);
}

}  // namespace spinert::cuda
