// What the bindings of volumes on the device share.
#pragma once

#include "cuda_arrays.h"
#include "volumes.h"

// typed(Voxel()) with the element type of the array; one that has no kernel is refused as float32.
template <class Typed>
void for_voxels(const DeviceArray& volume, const Typed& typed) {
    if (volume.dtype == spinert::cuda::dtype_of<uint8_t>()) return typed(uint8_t());
    if (volume.dtype == spinert::cuda::dtype_of<int16_t>()) return typed(int16_t());
    if (volume.dtype == spinert::cuda::dtype_of<uint16_t>()) return typed(uint16_t());
    typed(float());
}
