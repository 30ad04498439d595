// What the kernels of boxes share: the kinds of boxes, and the order of the boxes of a group.
#pragma once

#include "../math/neighbours.h"
#include "../math/order.h"
#include "block.cuh"
#include "boxes.h"
#include "groups.cuh"
#include "launch.h"

namespace spinert::cuda {

constexpr int kBoxThreads = 256;

struct Upright {
    static constexpr int kValues = 4;
    using Box = BoxOf<double>;
    __device__ static Box read(const float* boxes, size_t i) { return box_of(boxes + kValues * i); }
    __device__ static double shared(const Box& a, const Box& b) { return shared_area(a, b); }
};

struct Turned {
    static constexpr int kValues = 5;
    using Box = RotatedBoxOf<double>;
    __device__ static Box read(const float* boxes, size_t i) { return rotated_box_of(boxes + kValues * i); }
    __device__ static double shared(const Box& a, const Box& b) { return in_reach(a, b) ? shared_area(a, b) : 0.0; }
};

// Scratch: `keys` by which boxes are sorted, no two alike, and `order` [n], from each group's first place on the boxes
// of the group from the lowest key on; -1 stands behind those that take part.
struct SortedBoxes {
    unsigned long long* keys;
    int32_t* order;
};

// To be multiplied with the number of boxes.
constexpr size_t kSortedBytes = sizeof(unsigned long long) + sizeof(int32_t);

inline SortedBoxes sorted_boxes(const BoxGroups& boxes, Stream& stream) {
    auto* const keys = static_cast<unsigned long long*>(stream.scratch(kSortedBytes * boxes.groups.values));
    return {keys, reinterpret_cast<int32_t*>(keys + boxes.groups.values)};
}

// Keys of boxes that take no part: above all others.
constexpr unsigned long long kNoPart = 0xffffffffull << 32;

// Queues the counting that makes `order` out of `keys` and begins `kept`; see boxes_order.cu.
void queue_order(const char* name, const BoxGroups& boxes, const SortedBoxes& sorted, const Stream& stream);

}  // namespace spinert::cuda
