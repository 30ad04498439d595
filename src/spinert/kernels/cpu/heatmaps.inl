// Heat-maps to points.
#include "heatmaps.h"

#include "../math/exponential.h"
#include "../math/parabola.h"
#include "lanes.inl"

#include "survey.inl"

#include "mean_above.inl"
#include "peaks.inl"
#include "softmax.inl"

namespace spinert::heatmaps {
namespace {

constexpr Kernels kTable = {soft_argmax_map, soft_moments_map, mean_above_map, peak_of_map, top_peaks_of_map};

}  // namespace
}  // namespace spinert::heatmaps
