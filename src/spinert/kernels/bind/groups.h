// Values in groups as they come from Python.
#pragma once

#include <optional>

#include "../cpu/groups.h"
#include "apart.h"

using Offsets = std::optional<Array<const int64_t, 1>>;

inline spinert::Groups groups_of(const Offsets& offsets, size_t values) {
    if (!offsets) return {nullptr, 1, values};
    require(offsets->size() > 0 && offsets->data()[0] == 0, "offsets do not begin with 0");
    const size_t groups = offsets->size() - 1;
    for (size_t g = 0; g < groups; ++g) {
        require(offsets->data()[g] <= offsets->data()[g + 1], "offsets do not ascend");
    }
    require(offsets->data()[groups] == static_cast<int64_t>(values), "offsets do not end with the number of values");
    return {offsets->data(), groups, values};
}

template <class... Outputs>
void require_apart_from_offsets(const Offsets& offsets, const Outputs&... outputs) {
    if (offsets) require_apart("an output shares memory with offsets", *offsets, outputs...);
}
