// Heat-maps to points. Parts of maps are spread over the device, so that one volume keeps it as busy as many maps.
#include "heatmaps.h"

#include "mean_above.cuh"
#include "peaks.cuh"
#include "softmax.cuh"

namespace spinert::cuda {

void soft_argmax(const Maps& maps, const Softmax& softmax, float* points, float* confidence, Stream& stream) {
    softmax_of<false>("soft_argmax", maps, softmax, points, confidence, nullptr, stream);
}

void soft_moments(const Maps& maps, const Softmax& softmax, float* points, float* confidence, float* covariance,
                  Stream& stream) {
    softmax_of<true>("soft_moments", maps, softmax, points, confidence, covariance, stream);
}

void mean_above(const Maps& maps, float threshold, const Mask& mask, float* points, int32_t* count, float* confidence,
                Stream& stream) {
    if (maps.n == 0) return;
    const Shape shape = shape_of(maps);
    const size_t count_of_parts = maps.n * static_cast<size_t>(shape.parts);
    Scratch scratch(stream, {count_of_parts * sizeof(Above)});
    Above* const parts = scratch.next<Above>(count_of_parts);
    launch("mean_above", {maps.n, maps.depth, maps.height, maps.width}, above_of_parts, grid_of_parts(maps), stream,
           maps.values, shape, threshold, mask.masks, mask.maps_per_mask, parts);
    launch("mean_above", {maps.n, maps.depth, maps.height, maps.width}, above_of_maps, grid_of_maps(maps), stream,
           shape, parts, points, count, confidence);
}

void peak(const Maps& maps, float* points, float* value, Stream& stream) {
    if (maps.n == 0) return;
    const Shape shape = shape_of(maps);
    const size_t parts = maps.n * static_cast<size_t>(shape.parts);
    Scratch scratch(stream, {parts * sizeof(Top)});
    Top* const tops = scratch.next<Top>(parts);
    survey("peak", maps, tops, stream);
    launch("peak", {maps.n, maps.depth, maps.height, maps.width}, peak_of_map, grid_of_maps(maps), stream, maps.values,
           shape, tops, points, value);
}

void top_peaks(const Maps& maps, const PeakRule& rule, float* points, float* values, int32_t* count, Stream& stream) {
    if (maps.n == 0) return;
    const Shape shape = shape_of(maps);
    const size_t count_of_parts = maps.n * static_cast<size_t>(shape.parts);
    const size_t count_of_peaks = maps.n * static_cast<size_t>(rule.k);
    Scratch scratch(stream, {count_of_parts * sizeof(Top), count_of_parts * sizeof(Part),
                             count_of_peaks * sizeof(int32_t)});
    Top* const tops = scratch.next<Top>(count_of_parts);
    Part* const parts = scratch.next<Part>(count_of_parts);
    int32_t* const taken = scratch.next<int32_t>(count_of_peaks);
    survey("top_peaks", maps, tops, stream);
    launch("top_peaks", {maps.n, maps.depth, maps.height, maps.width}, top_peaks_of_map, grid_of_maps(maps), stream,
           maps.values, shape, rule, tops, parts, taken, points, values, count);
}

}  // namespace spinert::cuda
