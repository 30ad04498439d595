// Histograms, the tables that spread them out, and their use.
#include "contrast.h"

#include "convert.inl"

#include "tile_tables.inl"
#include "blend.inl"

namespace spinert::contrast {
namespace {

constexpr Kernels kTable = {count_levels,
                            look_up,
                            highest_level,
                            join_cells,
                            {equalize_tile<uint8_t>, blend_row<uint8_t>},
                            {equalize_tile<uint16_t>, blend_row<uint16_t>}};

}  // namespace
}  // namespace spinert::contrast
