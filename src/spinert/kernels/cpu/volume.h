// A volume as the kernels see it.
#pragma once

namespace spinert {

// C-order [slices, rows, columns]
template <class Voxel>
struct Volume {
    const Voxel* voxels;
    int slices, rows, columns;
};

}  // namespace spinert
