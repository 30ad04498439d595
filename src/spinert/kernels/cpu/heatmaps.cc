// Heat-maps: blocks, scratch and threads around the kernels of one ISA.
#include "heatmaps.h"

#include <vector>

#include "parallel.h"

namespace spinert {
namespace {

using heatmaps::Blocks;

// Of 512 cells or a little more; of more than that where there would be too many of them for a small scratch.
Blocks blocks_of(Maps maps) {
    constexpr int kCells = 512, kMost = 1 << 15;
    const auto quotient_up = [](int a, int b) { return a / b + (a % b != 0); };
    const int lines = std::max(quotient_up(kCells, maps.width), quotient_up(maps.lines(), kMost));
    return {lines, quotient_up(maps.lines(), lines)};
}

// body(i, floats, ints) for each map, with scratch of these lengths that no other thread uses.
template <class Body>
void for_each_map(Maps maps, size_t floats, size_t ints, int threads, const Body& body) {
    const size_t piece = std::max<size_t>(1, 65536 / maps.cells());  // enough to do for a thread that has been woken
    const size_t slots = std::min(maps.n, static_cast<size_t>(threads));
    std::vector<float> float_scratch(slots * floats);
    std::vector<int32_t> int_scratch(slots * ints);
    parallel_pieces(maps.n, piece, threads, [&](size_t slot, size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) {
            body(i, float_scratch.data() + slot * floats, int_scratch.data() + slot * ints);
        }
    });
}

}  // namespace

void soft_argmax(Maps maps, Softmax softmax, float* points, float* confidence, int threads) {
    const heatmaps::Kernels& kernels = heatmaps::active();
    const Blocks blocks = blocks_of(maps);
    for_each_map(maps, blocks.count, 0, threads, [&](size_t i, float* tops, int32_t*) {
        kernels.soft_argmax(maps.map(i), maps, softmax, blocks, tops, points + i * maps.axes, confidence + i);
    });
}

void soft_moments(Maps maps, Softmax softmax, float* points, float* confidence, float* covariance, int threads) {
    const heatmaps::Kernels& kernels = heatmaps::active();
    const Blocks blocks = blocks_of(maps);
    for_each_map(maps, blocks.count, 0, threads, [&](size_t i, float* tops, int32_t*) {
        kernels.soft_moments(maps.map(i), maps, softmax, blocks, tops, points + i * maps.axes, confidence + i,
                             covariance + i * maps.axes * maps.axes);
    });
}

void mean_above(Maps maps, float threshold, Mask mask, float* points, int32_t* count, float* confidence, int threads) {
    const heatmaps::Kernels& kernels = heatmaps::active();
    const Blocks blocks = blocks_of(maps);
    for_each_map(maps, blocks.count, 0, threads, [&](size_t i, float* tops, int32_t*) {
        const uint8_t* const own = mask.masks ? mask.masks + i / mask.maps_per_mask * maps.cells() : nullptr;
        kernels.mean_above(maps.map(i), maps, threshold, own, blocks, tops, points + i * maps.axes, count + i,
                           confidence + i);
    });
}

void peak(Maps maps, float* points, float* value, int threads) {
    const heatmaps::Kernels& kernels = heatmaps::active();
    const Blocks blocks = blocks_of(maps);
    for_each_map(maps, blocks.count, 0, threads, [&](size_t i, float* tops, int32_t*) {
        kernels.peak(maps.map(i), maps, blocks, tops, points + i * maps.axes, value + i);
    });
}

void top_peaks(Maps maps, PeakRule rule, float* points, float* values, int32_t* count, int threads) {
    const heatmaps::Kernels& kernels = heatmaps::active();
    const Blocks blocks = blocks_of(maps);
    const size_t k = static_cast<size_t>(rule.k);
    for_each_map(maps, blocks.count, blocks.count + k, threads, [&](size_t i, float* tops, int32_t* best) {
        kernels.top_peaks(maps.map(i), maps, rule, blocks, tops, best, best + blocks.count,
                          points + i * k * maps.axes, values + i * k, count + i);
    });
}

}  // namespace spinert
