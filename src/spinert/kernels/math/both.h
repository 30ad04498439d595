// Functions that kernels of the CPU and of CUDA share.
#pragma once

#ifdef __CUDACC__
#define SPINERT_BOTH __host__ __device__ inline
#else
#define SPINERT_BOTH static inline __attribute__((always_inline))
#endif
