// Order statistics and windowed resize.
#include "radiograph.h"

#include "lanes.inl"

#include "ranks.inl"
#include "resize.inl"

namespace spinert::radiograph {
namespace {

constexpr Kernels kTable = {count_brackets<uint8_t>, count_brackets<uint16_t>, resize_rows<uint8_t>,
                            resize_rows<uint16_t>};

}  // namespace
}  // namespace spinert::radiograph
