// Values in groups as they come from Python, on the device: their number is checked here, what they are by the kernels.
#pragma once

#include "../cuda/groups.h"
#include "cuda_arrays.h"

// `offsets` may be None.
inline spinert::cuda::Groups groups_of(Work& work, const DeviceArray* offsets, size_t values) {
    require(values < INT_MAX, "values are too many");
    if (offsets == nullptr) return {nullptr, 1, values};
    const auto view = work.input<int64_t, 1>(*offsets, "offsets");
    require(view.shape(0) > 0 && view.shape(0) < INT_MAX, "offsets are none or too many");
    require(view.shape(0) > 1 || values == 0, "offsets have no group for the values");
    return {view.data, view.shape(0) - 1, values};
}
