// DLPack's structures for handing an array over (DLPack 1.1, dlpack.h); nanobind has those inside them.
#pragma once

#include <nanobind/ndarray.h>

#include <cstdint>

namespace spinert::dlpack {

using nanobind::dlpack::dltensor;

constexpr int kCuda = 2, kCudaManaged = 13;
constexpr uint64_t kReadOnly = 1;

struct Managed {
    dltensor tensor;
    void* context;
    void (*deleter)(Managed*);
};

struct Version {
    uint32_t major, minor;
};
struct ManagedVersioned {
    Version version;
    void* context;
    void (*deleter)(ManagedVersioned*);
    uint64_t flags;
    dltensor tensor;
};

}  // namespace spinert::dlpack
