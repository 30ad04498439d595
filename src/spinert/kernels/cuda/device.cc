#include "device.h"

#include "error.h"

namespace spinert::cuda {
namespace {

// 13000 -> "13.0"
std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace

Devices devices() {
    int count = 0, driver = 0;  // both calls leave their argument as it was when there is no driver
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver) {
        cudaDriverGetVersion(&driver);
        if (driver == 0) return {0, "no NVIDIA driver"};
        return {0, "the NVIDIA driver supports CUDA " + version_text(driver) + ", this build needs " +
                       version_text(CUDART_VERSION)};
    }
    if (error != cudaSuccess) return {0, cudaGetErrorString(error)};
    return {count, count == 0 ? "no CUDA device" : ""};
}

Description describe(int device) {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, device), "asking for the properties of a device");
    return {properties.name, properties.major, properties.minor, properties.multiProcessorCount,
            properties.totalGlobalMem};
}

int current_device() {
    int device = 0;
    check(cudaGetDevice(&device), "asking for the device");
    return device;
}

OnDevice::OnDevice(int device) : before_(-1) {
    const int current = current_device();
    if (current == device) return;
    check(cudaSetDevice(device), "choosing a device");
    before_ = current;
}

OnDevice::~OnDevice() {
    if (before_ >= 0) cudaSetDevice(before_);
}

}  // namespace spinert::cuda
