// Stored values to network input, their sums, and the mask of a range of them.
#include "intensity.h"

#include "convert.inl"
#include "stream.inl"

#include "blocks.inl"
#include "grading.inl"
#include "sums.inl"
#include "threshold.inl"

namespace spinert::intensity {
namespace {

template <class Pixel>
constexpr PixelKernels<Pixel> kFor = {grade<Pixel, float>, grade<Pixel, Half>,   grade<Pixel, uint8_t>,
                                      sum<Pixel>,          mask_of_span<Pixel>, contains<Pixel>};

constexpr Kernels kTable = {kFor<int16_t>, kFor<uint16_t>};

}  // namespace
}  // namespace spinert::intensity
