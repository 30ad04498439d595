// Heat-maps: threads around the kernels of one ISA.
#include "heatmaps.h"

#include "parallel.h"

namespace spinert {
namespace {

Maps part_of(Maps maps, size_t begin, size_t end) {
    const size_t cells = static_cast<size_t>(maps.height) * maps.width;
    return {maps.values + begin * cells, end - begin, maps.height, maps.width};
}

}  // namespace

void soft_argmax(Maps maps, int radius, float* xy, float* confidence, int threads) {
    const heatmaps::Kernels& kernels = heatmaps::active();
    parallel_for(maps.n, threads, [&](size_t, size_t begin, size_t end) {
        kernels.soft_argmax(part_of(maps, begin, end), radius, xy + 2 * begin, confidence + begin);
    });
}

void peak(Maps maps, float* xy, float* value, int threads) {
    const heatmaps::Kernels& kernels = heatmaps::active();
    parallel_for(maps.n, threads, [&](size_t, size_t begin, size_t end) {
        kernels.peak(part_of(maps, begin, end), xy + 2 * begin, value + begin);
    });
}

}  // namespace spinert
