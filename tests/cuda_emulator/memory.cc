// Devices, memory and errors.
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "emulator.h"
#include "streams.h"

namespace emulated {
namespace {

constexpr int kDevices = 2;
constexpr unsigned char kFresh = 0xcd;  // what nobody has written yet: as float -4e8, as int a large negative number
constexpr unsigned char kFreed = 0xdd;

struct Memory {
    size_t bytes;
    int device;
};

std::map<void*, Memory> device_memory;
std::map<const char*, size_t> host_memory;
int allocations_left = -1;
cudaError_t fault_code = cudaSuccess;
std::string fault_text;

thread_local cudaError_t last_error = cudaSuccess;
thread_local int device = 0;

bool allocation_fails() {
    if (allocations_left < 0) return false;
    return allocations_left-- == 0;
}

bool is_pinned(const void* at, size_t bytes) {
    const char* from = static_cast<const char*>(at);
    auto after = host_memory.upper_bound(from);
    if (after == host_memory.begin()) return false;
    const auto& [begin, size] = *--after;
    return from + bytes <= begin + size;
}

const std::map<cudaError_t, std::pair<const char*, const char*>> kTexts = {
    {cudaSuccess, {"cudaSuccess", "no error"}},
    {cudaErrorInvalidValue, {"cudaErrorInvalidValue", "invalid argument"}},
    {cudaErrorMemoryAllocation, {"cudaErrorMemoryAllocation", "out of memory"}},
    {cudaErrorInvalidConfiguration, {"cudaErrorInvalidConfiguration", "invalid configuration argument"}},
    {cudaErrorInvalidDevice, {"cudaErrorInvalidDevice", "invalid device ordinal"}},
    {cudaErrorInvalidResourceHandle, {"cudaErrorInvalidResourceHandle", "invalid resource handle"}},
    {cudaErrorNotReady, {"cudaErrorNotReady", "device not ready"}},
    {cudaErrorLaunchFailure, {"cudaErrorLaunchFailure", "unspecified launch failure"}},
    {cudaErrorStreamCaptureUnsupported,
     {"cudaErrorStreamCaptureUnsupported", "operation not permitted when stream is capturing"}},
    {cudaErrorStreamCaptureInvalidated,
     {"cudaErrorStreamCaptureInvalidated", "operation failed due to a previous error during capture"}},
    {cudaErrorStreamCaptureIsolation,
     {"cudaErrorStreamCaptureIsolation", "dependency created on uncaptured work in another stream"}},
    {cudaErrorCapturedEvent, {"cudaErrorCapturedEvent", "operation not permitted on an event last recorded in a "
                                                        "capturing stream"}},
};

}  // namespace

std::recursive_mutex api;

int current_device() { return device; }

void fail_device(cudaError_t error, const std::string& what) {
    const Guard guard(api);
    fault_code = error;
    fault_text = what;
}

cudaError_t usable() {
    const Guard guard(api);
    return fault_code;
}

cudaError_t failed(cudaError_t error) {
    if (error != cudaSuccess) last_error = error;
    return error;
}

}  // namespace emulated

using namespace emulated;

void emulator_set_order(int order, unsigned seed) { set_order(static_cast<Order>(order), seed); }

void emulator_fail_allocation(int after) {
    const Guard guard(api);
    allocations_left = after;
}

void emulator_reset() {
    const Guard guard(api);
    fault_code = cudaSuccess;
    fault_text.clear();
    last_error = cudaSuccess;
}

const char* emulator_last_fault() {
    const Guard guard(api);
    return fault_text.c_str();
}

int emulator_copy(void* to, const void* from, size_t bytes, void* stream) {
    return cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, static_cast<cudaStream_t>(stream));
}

size_t emulator_bytes_in_use() {
    drain_all();
    const Guard guard(api);
    size_t bytes = 0;
    for (const auto& entry : device_memory) bytes += entry.second.bytes;
    return bytes;
}

const char* cudaGetErrorName(cudaError_t error) {
    const auto found = kTexts.find(error);
    return found == kTexts.end() ? "an error that is not emulated" : found->second.first;
}
const char* cudaGetErrorString(cudaError_t error) {
    const auto found = kTexts.find(error);
    return found == kTexts.end() ? "an error that is not emulated" : found->second.second;
}
cudaError_t cudaGetLastError() {
    const cudaError_t error = last_error;
    last_error = cudaSuccess;
    return error;
}
cudaError_t cudaPeekAtLastError() { return last_error; }

cudaError_t cudaDriverGetVersion(int* version) { return *version = CUDART_VERSION, cudaSuccess; }
cudaError_t cudaRuntimeGetVersion(int* version) { return *version = CUDART_VERSION, cudaSuccess; }
cudaError_t cudaGetDeviceCount(int* count) { return *count = kDevices, cudaSuccess; }
cudaError_t cudaGetDevice(int* current) { return *current = device, cudaSuccess; }
cudaError_t cudaSetDevice(int chosen) {
    if (chosen < 0 || chosen >= kDevices) return failed(cudaErrorInvalidDevice);
    return device = chosen, cudaSuccess;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* of, int chosen) {
    if (chosen < 0 || chosen >= kDevices) return failed(cudaErrorInvalidDevice);
    *of = {"emulated on the CPU", 7, 5, 4, size_t{1} << 30};
    return cudaSuccess;
}
cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int) {
    if (attribute != cudaDevAttrMultiProcessorCount) return failed(cudaErrorInvalidValue);
    return *value = 4, cudaSuccess;
}

cudaError_t cudaMemPoolCreate(cudaMemPool_t* pool, const cudaMemPoolProps* of) {
    return *pool = new Pool{of->location.id}, cudaSuccess;
}
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }

cudaError_t cudaMallocFromPoolAsync(void** at, size_t bytes, cudaMemPool_t pool, cudaStream_t handle) {
    const Guard guard(api);
    Stream* stream = resolve(handle);
    if (!stream) return failed(cudaErrorInvalidResourceHandle);
    if (usable() != cudaSuccess) return failed(usable());
    if (stream->capture) {  // memory of a graph is not emulated
        spoil(*stream);
        return failed(cudaErrorStreamCaptureUnsupported);
    }
    if (allocation_fails()) return failed(cudaErrorMemoryAllocation);
    if (posix_memalign(at, 256, bytes) != 0) return failed(cudaErrorMemoryAllocation);
    std::memset(*at, kFresh, bytes);
    device_memory[*at] = {bytes, pool->device};
    return cudaSuccess;
}

cudaError_t cudaFreeAsync(void* at, cudaStream_t stream) {
    {
        const Guard guard(api);
        if (!device_memory.count(at)) return failed(cudaErrorInvalidValue);
    }
    return failed(enqueue(stream, [at] {
        const Guard guard(api);
        std::memset(at, kFreed, device_memory[at].bytes);
        device_memory.erase(at);
        std::free(at);
    }));
}

cudaError_t cudaPointerGetAttributes(cudaPointerAttributes* of, const void* at) {
    const Guard guard(api);
    const char* begin = static_cast<const char*>(at);
    *of = {is_pinned(at, 1) ? cudaMemoryTypeHost : cudaMemoryTypeUnregistered, device};
    for (const auto& [memory, about] : device_memory) {
        const char* first = static_cast<const char*>(memory);
        if (first <= begin && begin < first + about.bytes) *of = {cudaMemoryTypeDevice, about.device};
    }
    return cudaSuccess;
}

cudaError_t cudaHostAlloc(void** at, size_t bytes, unsigned) {
    const Guard guard(api);
    if (usable() != cudaSuccess) return failed(usable());
    if (spoiled_by_waiting()) return failed(cudaErrorStreamCaptureUnsupported);
    if (allocation_fails()) return failed(cudaErrorMemoryAllocation);
    *at = std::malloc(bytes);
    if (!*at) return failed(cudaErrorMemoryAllocation);
    std::memset(*at, kFresh, bytes);
    host_memory[static_cast<const char*>(*at)] = bytes;
    return cudaSuccess;
}

cudaError_t cudaFreeHost(void* at) {
    const Guard guard(api);
    if (spoiled_by_waiting()) return failed(cudaErrorStreamCaptureUnsupported);
    if (!host_memory.erase(static_cast<const char*>(at))) return failed(cudaErrorInvalidValue);
    std::free(at);
    return cudaSuccess;
}

// Never waits, also for pageable memory: as on a device that reads that by itself.
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
    return failed(enqueue(stream, [to, from, bytes] { std::memcpy(to, from, bytes); }));
}

cudaError_t cudaMemsetAsync(void* at, int value, size_t bytes, cudaStream_t stream) {
    return failed(enqueue(stream, [at, value, bytes] { std::memset(at, value, bytes); }));
}
