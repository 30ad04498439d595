// Stored values to network input on the device: as the functions of the same names on the CPU, queued on a stream. The
// slopes and intercepts of a volume lie in host memory.
#pragma once

#include "../math/half.h"
#include "../math/hounsfield.h"
#include "stream.h"

namespace spinert::cuda {

template <class Pixel, class Out>
void rescale_hu(const StoredVolume<Pixel>& volume, const Grading& grading, Out* out, Stream& stream);

template <class Pixel, class Out>
void zscore_hu(const StoredVolume<Pixel>& volume, double low, double high, const uint8_t* mask, double* moments,
               Out* out, Stream& stream);

// box [axes, 2], of which the last `axes` of slices, rows and columns are written.
template <class Pixel>
void threshold_mask(const StoredVolume<Pixel>& volume, double low, double high, uint8_t* mask, int64_t* box, int axes,
                    Stream& stream);

}  // namespace spinert::cuda
