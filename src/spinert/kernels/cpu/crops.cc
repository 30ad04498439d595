// Crops: threads around the kernels of one ISA.
#include "crops.h"

#include "parallel.h"

namespace spinert {
namespace {

crops::Crop<uint8_t> kernel_for(Volume<uint8_t>) { return crops::active().crop_u8; }
crops::Crop<int16_t> kernel_for(Volume<int16_t>) { return crops::active().crop_i16; }
crops::Crop<uint16_t> kernel_for(Volume<uint16_t>) { return crops::active().crop_u16; }
crops::Crop<float> kernel_for(Volume<float>) { return crops::active().crop_f32; }

}  // namespace

template <class Voxel>
void crop(const CropJob<Voxel>& job, size_t n, int threads) {
    const size_t rows = n * static_cast<size_t>(job.slices) * job.rows;
    if (rows == 0 || job.columns == 0) return;
    const crops::Crop<Voxel> run = kernel_for(job.volume);
    parallel_for(rows, threads, [&](size_t, size_t begin, size_t end) {
        run(job, static_cast<int64_t>(begin), static_cast<int64_t>(end));
    });
}
template void crop(const CropJob<uint8_t>&, size_t, int);
template void crop(const CropJob<int16_t>&, size_t, int);
template void crop(const CropJob<uint16_t>&, size_t, int);
template void crop(const CropJob<float>&, size_t, int);

}  // namespace spinert
