// Values in groups on the device, one group after the other in one array.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spinert::cuda {

// Group g is values offsets[g] .. offsets[g + 1], one of all where there are no offsets. The host has not looked at what
// the offsets are: kernels hold them to the values that there are (groups.cuh).
struct Groups {
    const int64_t* offsets;
    size_t count, values;
};

}  // namespace spinert::cuda
