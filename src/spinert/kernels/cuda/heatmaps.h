// Heat-maps to points on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include <cstddef>

#include "stream.h"

namespace spinert::cuda {

struct Maps {
    const float* values;  // [n, height, width]
    size_t n;
    int height, width;
};

void soft_argmax(const Maps& maps, int radius, float* xy, float* confidence, const Stream& stream);
void peak(const Maps& maps, float* xy, float* value, const Stream& stream);

}  // namespace spinert::cuda
