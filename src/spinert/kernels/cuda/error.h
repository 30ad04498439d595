// What CUDA says becomes an exception that names what was being done; in Python it is spinert.errors.DeviceError.
#pragma once

#include <cuda_runtime_api.h>

#include <exception>
#include <string>

namespace spinert::cuda {

class Error : public std::exception {
  public:
    Error(std::string problem_, std::string remedy_);
    const char* what() const noexcept override { return problem.c_str(); }

    std::string problem, remedy;
};

// `doing` is a noun: "soft_argmax of [68, 256, 128]", "allocating 512 bytes".
[[noreturn]] void fail(cudaError_t error, const std::string& doing);

inline void check(cudaError_t error, const char* doing) {
    if (error != cudaSuccess) fail(error, doing);
}

}  // namespace spinert::cuda
