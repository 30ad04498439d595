// Stored values to network input, and the mask of a range of them. Volumes are read and written eight voxels at a time;
// what a slice's rescale makes of them is worked out on the host.
#include "intensity.h"

#include <climits>
#include <type_traits>

#include "../math/moments.h"
#include "voxels.cuh"

namespace spinert::cuda {
namespace {

template <class Pixel>
constexpr int kLeast = std::numeric_limits<Pixel>::min();
template <class Pixel>
constexpr int kMost = std::numeric_limits<Pixel>::max();

__device__ void write(float value, float* to) { *to = value; }
__device__ void write(float value, Half* to) { *to = half_of(value); }
__device__ void write(float value, uint8_t* to) { *to = static_cast<uint8_t>(static_cast<int>(value)); }

// A curve for each slice, or one for all.
template <bool kPacked, class Pixel, class Out>
__global__ void __launch_bounds__(kVoxelThreads)
grade_slices(const Pixel* stored, size_t slices, size_t voxels, const Curve* curves, bool per_slice, Out* out) {
    for (size_t slice = blockIdx.y; slice < slices; slice += gridDim.y) {
        const Curve curve = curves[per_slice ? slice : 0];
        const Pixel* from = stored + slice * voxels;
        Out* to = out + slice * voxels;
        for_each_run<kPacked>(voxels, [&](size_t first, int count) {
            if (count == kPack) {
                const Pack<Pixel> in = *reinterpret_cast<const Pack<Pixel>*>(from + first);
                Pack<Out> result;
#pragma unroll
                for (int i = 0; i < kPack; ++i) write(graded(curve, in.lanes[i]), result.lanes + i);
                *reinterpret_cast<Pack<Out>*>(to + first) = result;
            } else {
                write(graded(curve, from[first]), to + first);
            }
        });
    }
}

template <class Pixel, class Out>
void grade(const char* name, const StoredVolume<Pixel>& volume, const Curve* curves, Out* out, const Stream& stream) {
    // with one rescale for all it does not matter where a slice ends
    const size_t slices = volume.per_slice ? volume.slices : 1;
    const size_t voxels = volume.rows * volume.columns * (volume.per_slice ? 1 : volume.slices);
    const bool packed = is_packed(volume.stored) && is_packed(out) && (slices == 1 || voxels % kPack == 0);
    launch(name, {volume.slices, volume.rows, volume.columns},
           packed ? grade_slices<true, Pixel, Out> : grade_slices<false, Pixel, Out>, grid_of_slices(slices, voxels, 1),
           stream, volume.stored, slices, voxels, curves, volume.per_slice, out);
}

struct Slice {
    Rescale rescale;
    Span span;
};

template <class Pixel>
Slice slice_of(const StoredVolume<Pixel>& volume, size_t i, double low, double high) {
    return {volume.rescale(i), span_of(volume.rescale(i), low, high, kLeast<Pixel>, kMost<Pixel>)};
}

__device__ void add_over_block(uint64_t mine, uint64_t* total, unsigned long long* scratch) {
    const unsigned long long sum = sum_of_block(static_cast<unsigned long long>(mine), scratch);
    if (threadIdx.x == 0 && sum != 0) atomicAdd(reinterpret_cast<unsigned long long*>(total), sum);
}

// Integers: the order in which the blocks come changes nothing.
template <bool kPacked, class Pixel>
__global__ void __launch_bounds__(kVoxelThreads)
sum_slices(const Pixel* stored, const uint8_t* mask, size_t slices, size_t voxels, const Slice* of, bool per_slice,
           SliceSums* sums) {
    __shared__ unsigned long long scratch[kWarpsAtMost];
    for (size_t slice = blockIdx.y; slice < slices; slice += gridDim.y) {
        const Span span = of[per_slice ? slice : 0].span;
        const Pixel* from = stored + slice * voxels;
        const uint8_t* wanted = mask == nullptr ? nullptr : mask + slice * voxels;
        SliceSums mine = {};
        const auto add = [&](int value, bool taken) {
            if (!taken) return;
            if (value < span.first) {
                ++mine.under;
            } else if (value > span.last) {
                ++mine.over;
            } else {
                const int64_t from_bias = value - bias_of(kLeast<Pixel>);
                ++mine.within;
                mine.sum += static_cast<uint64_t>(from_bias);
                mine.squares += static_cast<uint64_t>(from_bias * from_bias);
            }
        };
        for_each_run<kPacked>(voxels, [&](size_t first, int count) {
            if (count == kPack) {
                const Pack<Pixel> in = *reinterpret_cast<const Pack<Pixel>*>(from + first);
                Pack<uint8_t> in_mask = {{1, 1, 1, 1, 1, 1, 1, 1}};
                if (wanted != nullptr) in_mask = *reinterpret_cast<const Pack<uint8_t>*>(wanted + first);
#pragma unroll
                for (int i = 0; i < kPack; ++i) add(in.lanes[i], in_mask.lanes[i] != 0);
            } else {
                add(from[first], wanted == nullptr || wanted[first] != 0);
            }
        });
        add_over_block(mine.within, &sums[slice].within, scratch);
        add_over_block(mine.under, &sums[slice].under, scratch);
        add_over_block(mine.over, &sums[slice].over, scratch);
        add_over_block(mine.sum, &sums[slice].sum, scratch);
        add_over_block(mine.squares, &sums[slice].squares, scratch);
    }
}

// One block: mean, deviation, and the curves that follow from them. Values that are all alike become 0.
template <class Pixel>
__global__ void __launch_bounds__(kVoxelThreads)
moments_of_sums(const SliceSums* sums, size_t slices, const Slice* of, bool per_slice, double low, double high,
                double* moments, Curve* curves) {
    __shared__ double scratch[kWarpsAtMost];
    const auto total_hu = [&](double mean) {
        SliceHu mine = {0.0, 0.0, 0.0};
        for (size_t i = threadIdx.x; i < slices; i += kVoxelThreads) {
            const Rescale rescale = of[per_slice ? i : 0].rescale;
            add_to(mine, hu_of_slice(sums[i], bias_of(kLeast<Pixel>), rescale, low, high, mean));
        }
        return SliceHu{sum_of_block(mine.voxels, scratch), sum_of_block(mine.sum, scratch),
                       sum_of_block(mine.squares, scratch)};
    };
    const SliceHu first = total_hu(0.0);
    const double mean = first.sum / first.voxels;
    const double deviation = sqrt(total_hu(mean).squares / first.voxels);
    if (threadIdx.x == 0) {
        moments[0] = first.voxels;
        moments[1] = mean;
        moments[2] = deviation;
    }
    const Grading grading = {low, high, mean, 1.0 / deviation, 0.0f, false};
    for (size_t i = threadIdx.x; i < (per_slice ? slices : 1); i += kVoxelThreads) {
        curves[i] = deviation > 0.0 ? curve_of(of[i].rescale, grading, kLeast<Pixel>, kMost<Pixel>, false) : Curve{};
    }
}

struct Corner {
    int first[3], end[3];  // of slices, rows, columns
};

template <bool kPacked, class Pixel>
__global__ void __launch_bounds__(kVoxelThreads)
mask_slices(const Pixel* stored, size_t slices, unsigned rows, unsigned columns, const Slice* of, bool per_slice,
            uint8_t* mask, Corner* corner) {
    __shared__ int scratch[kWarpsAtMost];
    const size_t voxels = static_cast<size_t>(rows) * columns;
    for (size_t slice = blockIdx.y; slice < slices; slice += gridDim.y) {
        const Span span = of[per_slice ? slice : 0].span;
        const Pixel* from = stored + slice * voxels;
        uint8_t* to = mask + slice * voxels;
        int first_row = INT_MAX, first_column = INT_MAX, end_row = 0, end_column = 0;
        const auto is_within = [&](Pixel value, size_t place) {
            if (value < span.first || value > span.last) return uint8_t{0};
            const auto at = static_cast<unsigned>(place);
            const int row = static_cast<int>(at / columns), column = static_cast<int>(at % columns);
            first_row = min(first_row, row);
            first_column = min(first_column, column);
            end_row = max(end_row, row + 1);
            end_column = max(end_column, column + 1);
            return uint8_t{1};
        };
        for_each_run<kPacked>(voxels, [&](size_t first, int count) {
            if (count == kPack) {
                const Pack<Pixel> in = *reinterpret_cast<const Pack<Pixel>*>(from + first);
                Pack<uint8_t> result;
#pragma unroll
                for (int i = 0; i < kPack; ++i) result.lanes[i] = is_within(in.lanes[i], first + i);
                *reinterpret_cast<Pack<uint8_t>*>(to + first) = result;
            } else {
                to[first] = is_within(from[first], first);
            }
        });
        const auto least = [](int a, int b) { return min(a, b); };
        const auto most = [](int a, int b) { return max(a, b); };
        first_row = reduce_block(first_row, INT_MAX, least, scratch);
        first_column = reduce_block(first_column, INT_MAX, least, scratch);
        end_row = reduce_block(end_row, 0, most, scratch);
        end_column = reduce_block(end_column, 0, most, scratch);
        if (threadIdx.x != 0 || end_row == 0) continue;
        const int firsts[3] = {static_cast<int>(slice), first_row, first_column};
        const int ends[3] = {static_cast<int>(slice) + 1, end_row, end_column};
        for (int axis = 0; axis < 3; ++axis) {
            atomicMin(&corner->first[axis], firsts[axis]);
            atomicMax(&corner->end[axis], ends[axis]);
        }
    }
}

__global__ void box_of_corner(const Corner* corner, int axes, int64_t* box) {
    const int axis = static_cast<int>(threadIdx.x);
    if (axis >= axes) return;
    const int of = 3 - axes + axis;
    const bool empty = corner->end[0] == 0;
    box[2 * axis] = empty ? 0 : corner->first[of];
    box[2 * axis + 1] = empty ? 0 : corner->end[of];
}

}  // namespace

template <class Pixel, class Out>
void rescale_hu(const StoredVolume<Pixel>& volume, const Grading& grading, Out* out, Stream& stream) {
    const size_t rescales = volume.per_slice ? volume.slices : 1;
    auto* const curves = static_cast<Curve*>(stream.scratch(rescales * sizeof(Curve)));
    put("rescale_hu", rescales, curves, stream, [&](size_t i) {
        return curve_of(volume.rescale(i), grading, kLeast<Pixel>, kMost<Pixel>, std::is_same_v<Out, uint8_t>);
    });
    grade("rescale_hu", volume, curves, out, stream);
}

template <class Pixel, class Out>
void zscore_hu(const StoredVolume<Pixel>& volume, double low, double high, const uint8_t* mask, double* moments,
               Out* out, Stream& stream) {
    const char* name = "zscore_hu";
    const size_t rescales = volume.per_slice ? volume.slices : 1, voxels = volume.rows * volume.columns;
    Scratch scratch(stream,
                    {rescales * sizeof(Curve), rescales * sizeof(Slice), volume.slices * sizeof(SliceSums)});
    Curve* const curves = scratch.next<Curve>(rescales);
    Slice* const of = scratch.next<Slice>(rescales);
    SliceSums* const sums = scratch.next<SliceSums>(volume.slices);
    put(name, rescales, of, stream, [&](size_t i) { return slice_of(volume, i, low, high); });
    check(cudaMemsetAsync(sums, 0, volume.slices * sizeof(SliceSums), stream.get()), name);
    const bool packed = is_packed(volume.stored) && (mask == nullptr || is_packed(mask)) &&
                        (volume.slices == 1 || voxels % kPack == 0);
    launch(name, {volume.slices, volume.rows, volume.columns},
           packed ? sum_slices<true, Pixel> : sum_slices<false, Pixel>, grid_of_slices(volume.slices, voxels, 8),
           stream, volume.stored, mask, volume.slices, voxels, of, volume.per_slice, sums);
    launch(name, {volume.slices}, moments_of_sums<Pixel>, {dim3(1), dim3(kVoxelThreads)}, stream, sums, volume.slices,
           of, volume.per_slice, low, high, moments, curves);
    grade(name, volume, curves, out, stream);
}

template <class Pixel>
void threshold_mask(const StoredVolume<Pixel>& volume, double low, double high, uint8_t* mask, int64_t* box, int axes,
                    Stream& stream) {
    const char* name = "threshold_mask";
    const size_t rescales = volume.per_slice ? volume.slices : 1, voxels = volume.rows * volume.columns;
    Scratch scratch(stream, {rescales * sizeof(Slice), sizeof(Corner)});
    Slice* const of = scratch.next<Slice>(rescales);
    Corner* const corner = scratch.next<Corner>(1);
    put(name, rescales, of, stream, [&](size_t i) { return slice_of(volume, i, low, high); });
    put(name, 1, corner, stream, [](size_t) { return Corner{{INT_MAX, INT_MAX, INT_MAX}, {0, 0, 0}}; });
    const bool packed = is_packed(volume.stored) && is_packed(mask) && (volume.slices == 1 || voxels % kPack == 0);
    launch(name, {volume.slices, volume.rows, volume.columns},
           packed ? mask_slices<true, Pixel> : mask_slices<false, Pixel>, grid_of_slices(volume.slices, voxels, 4),
           stream, volume.stored, volume.slices, static_cast<unsigned>(volume.rows),
           static_cast<unsigned>(volume.columns), of, volume.per_slice, mask, corner);
    launch(name, {axes}, box_of_corner, {dim3(1), dim3(kWarp)}, stream, corner, axes, box);
}

#define SPINERT_FOR(Pixel, Out)                                                                                    \
    template void rescale_hu<Pixel, Out>(const StoredVolume<Pixel>&, const Grading&, Out*, Stream&);               \
    template void zscore_hu<Pixel, Out>(const StoredVolume<Pixel>&, double, double, const uint8_t*, double*, Out*, \
                                        Stream&);
SPINERT_FOR(int16_t, float)
SPINERT_FOR(int16_t, Half)
SPINERT_FOR(uint16_t, float)
SPINERT_FOR(uint16_t, Half)
template void rescale_hu<int16_t, uint8_t>(const StoredVolume<int16_t>&, const Grading&, uint8_t*, Stream&);
template void rescale_hu<uint16_t, uint8_t>(const StoredVolume<uint16_t>&, const Grading&, uint8_t*, Stream&);
template void threshold_mask<int16_t>(const StoredVolume<int16_t>&, double, double, uint8_t*, int64_t*, int, Stream&);
template void threshold_mask<uint16_t>(const StoredVolume<uint16_t>&, double, double, uint8_t*, int64_t*, int, Stream&);

}  // namespace spinert::cuda
