// The line in the middle of a mask, on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stream.h"

namespace spinert::cuda {

struct MaskImage {
    const uint8_t* values;
    size_t rows, columns;
};
void mask_midline(const MaskImage& mask, double* midline, double* borders, const Stream& stream);

void border_midpoints(const double* borders, size_t rows, double* midpoints, const Stream& stream);

}  // namespace spinert::cuda
