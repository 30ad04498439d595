#include "error.h"

#include "device.h"

namespace spinert::cuda {
namespace {

std::string remedy_for(cudaError_t error) {
    switch (error) {
        case cudaErrorInsufficientDriver:
        case cudaErrorNoDevice:
            return "run it on a machine with an NVIDIA GPU and its driver, or on the CPU; `spinert doctor` shows what is "
                   "there";
        case cudaErrorMemoryAllocation:
            return "free memory of the device, or work on less at a time";
        case cudaErrorNoKernelImageForDevice:
            return "rebuild with the architecture of this device: pip install . "
                   "-Ccmake.define.SPINERT_CUDA_ARCHITECTURES=native";
        case cudaErrorIllegalAddress:
        case cudaErrorLaunchFailure:
        case cudaErrorAssert:
        case cudaErrorContextIsDestroyed:
            return "start a new process, the device is lost to this one; if it happens again, report it";
        case cudaErrorStreamCaptureUnsupported:
        case cudaErrorStreamCaptureInvalidated:
        case cudaErrorStreamCaptureIsolation:
            return "within a capture, only queue kernels and copies on the captured stream";
        default:
            return "report it with this text and what `spinert doctor` shows";
    }
}

}  // namespace

Error::Error(std::string problem_, std::string remedy_) : problem(std::move(problem_)), remedy(std::move(remedy_)) {}

void fail(cudaError_t error, const std::string& doing) {
    cudaGetLastError();  // one that stays would be blamed on the next call
    const bool nothing_there = error == cudaErrorInsufficientDriver || error == cudaErrorNoDevice;
    const std::string said = nothing_there ? devices().reason : cudaGetErrorString(error);
    throw Error(doing + ": " + said + " (" + cudaGetErrorName(error) + ")", remedy_for(error));
}

}  // namespace spinert::cuda
