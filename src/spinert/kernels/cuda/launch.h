// The one way to start a kernel: checked, and an error names the kernel and the shape it was working on.
#pragma once

#include <cuda_runtime.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "error.h"
#include "stream.h"

namespace spinert::cuda {

// A number of any integer type, for shapes in braces.
struct Extent {
    template <class Integer>
    Extent(Integer n) : value(static_cast<long long>(n)) {}
    long long value;
};

inline std::string name_with_shape(const char* name, std::initializer_list<Extent> shape) {
    std::string text = std::string(name) + " of [";
    for (const Extent& extent : shape) text += (text.back() == '[' ? "" : ", ") + std::to_string(extent.value);
    return text + "]";
}

struct Grid {
    dim3 blocks, threads;
    size_t shared_bytes = 0;  // dynamic; refused where the device has less
};

// A block has 48 KiB unless more is asked for, of which its kernel's own arrays take up to 16.
constexpr size_t kSharedUnasked = 32 << 10;

// Queues kernel(args...) on the stream. A grid without blocks is no work.
template <class... Expected, class... Actual>
void launch(const char* name, std::initializer_list<Extent> shape, void (*kernel)(Expected...), const Grid& grid,
            const Stream& stream, Actual&&... args) {
    if (grid.blocks.x == 0 || grid.blocks.y == 0 || grid.blocks.z == 0) return;
    cudaError_t error = cudaSuccess;
    if (grid.shared_bytes > kSharedUnasked) {
        error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     static_cast<int>(grid.shared_bytes));
    }
    cudaLaunchConfig_t config = {};
    config.gridDim = grid.blocks;
    config.blockDim = grid.threads;
    config.dynamicSmemBytes = grid.shared_bytes;
    config.stream = stream.get();
    if (error == cudaSuccess) error = cudaLaunchKernelEx(&config, kernel, std::forward<Actual>(args)...);
    if (error != cudaSuccess) fail(error, name_with_shape(name, shape));
}

// Blocks of `each` threads that cover n, for kernels that stride over the grid: at most `most`.
inline unsigned blocks_for(size_t n, unsigned each, unsigned most = 65535) {
    const size_t blocks = (n + each - 1) / each;
    return static_cast<unsigned>(blocks < most ? blocks : most);
}

}  // namespace spinert::cuda
