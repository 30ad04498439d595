// Values in groups, one group after the other in one array.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spinert {

// Group g is values offsets[g] .. offsets[g + 1]; offsets [count + 1] ascend from 0 to the number of values. Without
// offsets there is one group of all values.
struct Groups {
    const int64_t* offsets;
    size_t count, values;
};

inline size_t first_of(const Groups& groups, size_t g) {
    return groups.offsets == nullptr ? g * groups.values : static_cast<size_t>(groups.offsets[g]);
}
inline size_t size_of(const Groups& groups, size_t g) { return first_of(groups, g + 1) - first_of(groups, g); }

}  // namespace spinert
