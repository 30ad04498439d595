// Volumes to other grids on the device: as the functions of the same names on the CPU, queued on a stream.
#pragma once

#include "../math/volume.h"
#include "stream.h"

namespace spinert::cuda {

// out [grid.slices, grid.rows, grid.columns]; uint8_t, int16_t, uint16_t, float
template <class Voxel>
void resample_volume(const Volume<Voxel>& volume, const ResampleGrid& grid, const StoredWindow& window, float* out,
                     Stream& stream);

// uint8_t, uint16_t
template <class Label>
void resample_labels(const Volume<Label>& labels, const ResampleGrid& grid, Label* out, Stream& stream);

}  // namespace spinert::cuda
