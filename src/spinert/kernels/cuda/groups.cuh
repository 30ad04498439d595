// Where a group lies, for kernels.
#pragma once

#include "groups.h"

namespace spinert::cuda {

struct Group {
    size_t first, size;
};

__device__ inline size_t held_to(int64_t offset, size_t values) {
    return offset < 0 ? 0 : static_cast<size_t>(offset) < values ? static_cast<size_t>(offset) : values;
}

__device__ inline Group group_at(const Groups& groups, size_t g) {
    if (groups.offsets == nullptr) return {0, groups.values};
    const size_t first = held_to(groups.offsets[g], groups.values);
    const size_t last = held_to(groups.offsets[g + 1], groups.values);
    return {first, last > first ? last - first : 0};
}

// The group of value i, by bisection; there is at least one group.
__device__ inline size_t group_of(const Groups& groups, size_t i) {
    if (groups.offsets == nullptr) return 0;
    size_t low = 0, high = groups.count;  // offsets[low] <= i < offsets[high]
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;
        (groups.offsets[middle] <= static_cast<int64_t>(i) ? low : high) = middle;
    }
    return low;
}

}  // namespace spinert::cuda
