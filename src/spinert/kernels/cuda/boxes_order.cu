// The order of the boxes of each group: a thread for each box counts the keys below its own. The time grows with the
// square of the boxes of a group, which suppression's does too, and nothing waits for anything.
#include "boxes.cuh"

namespace spinert::cuda {
namespace {

__global__ void __launch_bounds__(kBoxThreads) begin_order(size_t n, int32_t* order, int32_t* kept) {
    for_each_of_grid(n, [&](size_t i) { order[i] = kept[i] = -1; });
}

__global__ void __launch_bounds__(kBoxThreads)
place_by_key(Groups groups, const unsigned long long* keys, int32_t* order) {
    for_each_of_grid(groups.values, [&](size_t i) {
        const Group group = group_at(groups, group_of(groups, i));
        const unsigned long long* const own = keys + group.first;
        const unsigned long long key = keys[i];
        if (key >= kNoPart) return;
        size_t place = 0;
#pragma unroll 8
        for (size_t j = 0; j < group.size; ++j) place += own[j] < key ? 1 : 0;
        if (place < group.size) order[group.first + place] = static_cast<int32_t>(i);
    });
}

}  // namespace

void queue_order(const char* name, const BoxGroups& boxes, const SortedBoxes& sorted, const Stream& stream) {
    const size_t n = boxes.groups.values;
    const Grid grid = {dim3(blocks_for(n, kBoxThreads)), dim3(kBoxThreads)};
    launch(name, {n}, begin_order, grid, stream, n, sorted.order, boxes.kept);
    launch(name, {n}, place_by_key, grid, stream, boxes.groups, sorted.keys, sorted.order);
}

}  // namespace spinert::cuda
