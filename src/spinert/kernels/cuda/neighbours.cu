// Rules for a column of boxes: a block for each group, a thread for each box.
#include "boxes.cuh"

namespace spinert::cuda {
namespace {

__global__ void __launch_bounds__(kBoxThreads) key_by_place(const float* boxes, size_t n, unsigned long long* keys) {
    for_each_of_grid(n, [&](size_t i) {
        const float* const box = boxes + 4 * i;
        const auto key = static_cast<unsigned long long>(ascending_key(box[1] + box[3])) << 32;
        keys[i] = (is_finite(box_of(box).area) ? key : kNoPart) | i;
    });
}

struct ByOverlap {
    double threshold;
    __device__ bool stays(const float* above, const float* box, const float* below) const {
        return overlaps_little(above, box, below, threshold) && steps_little(above, box);
    }
};

struct ByShift {
    double widths;
    __device__ bool stays(const float* above, const float* box, const float* below) const {
        return stands_over_neighbour(above, box, below, widths);
    }
};

template <class Rule>
__global__ void __launch_bounds__(kBoxThreads) judge_column(BoxGroups boxes, const int32_t* order, Rule rule) {
    __shared__ int scratch[kWarpsAtMost];
    const Group group = group_at(boxes.groups, blockIdx.x);
    // the box at a place of the column, none before the first and behind the last
    const auto box_at = [&](size_t place) -> const float* {
        const int box = place < group.size ? order[group.first + place] : -1;
        return box < 0 ? nullptr : boxes.boxes + 4 * static_cast<size_t>(box);
    };
    int count = 0;
    for (size_t begin = 0; begin < group.size; begin += kBoxThreads) {
        const size_t place = begin + threadIdx.x;
        const float* const own = box_at(place);
        const float* const above = place == 0 ? nullptr : box_at(place - 1);
        const bool stays = own != nullptr && rule.stays(above, own, box_at(place + 1));
        const Scanned<int> scanned = scan_block(stays ? 1 : 0, scratch);
        if (stays) boxes.kept[group.first + static_cast<size_t>(count + scanned.before)] = order[group.first + place];
        count += scanned.total;
    }
    if (threadIdx.x == 0) boxes.counts[blockIdx.x] = count;
}

template <class Rule>
void judge(const char* name, const BoxGroups& boxes, const Rule& rule, Stream& stream) {
    const size_t n = boxes.groups.values;
    const SortedBoxes sorted = sorted_boxes(boxes, stream);
    launch(name, {n}, key_by_place, {dim3(blocks_for(n, kBoxThreads)), dim3(kBoxThreads)}, stream, boxes.boxes, n,
           sorted.keys);
    queue_order(name, boxes, sorted, stream);
    launch(name, {n, boxes.groups.count}, judge_column<Rule>,
           {dim3(static_cast<unsigned>(boxes.groups.count)), dim3(kBoxThreads)}, stream, boxes, sorted.order, rule);
}

}  // namespace

void neighbour_overlap(const BoxGroups& groups, double threshold, Stream& stream) {
    judge("neighbour_overlap", groups, ByOverlap{threshold}, stream);
}

void neighbour_shift(const BoxGroups& groups, double widths, Stream& stream) {
    judge("neighbour_shift", groups, ByShift{widths}, stream);
}

}  // namespace spinert::cuda
