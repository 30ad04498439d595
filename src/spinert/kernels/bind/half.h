// Half precision as NumPy's float16.
#pragma once

#include "../math/half.h"
#include "arrays.h"

namespace nanobind::detail {

template <>
struct dtype_traits<spinert::Half> {
    static constexpr dlpack::dtype value{static_cast<uint8_t>(dlpack::dtype_code::Float), 16, 1};
    static constexpr auto name = const_name("float16");
};

}  // namespace nanobind::detail
