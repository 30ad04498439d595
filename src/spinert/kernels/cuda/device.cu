#include "device.h"

#include <cuda_runtime_api.h>

namespace spinert {
namespace {

// 13000 -> "13.0"
std::string version_text(int version) {
    return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace

Devices cuda_devices() {
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

}  // namespace spinert
