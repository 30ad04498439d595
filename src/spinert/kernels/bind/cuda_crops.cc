// Crops of images and volumes, on the device.
#include <nanobind/ndarray.h>

#include "../cuda/crops.h"
#include "cuda_volumes.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

using Maps = nb::ndarray<const double, nb::ndim<3>, nb::c_contig, nb::device::cpu>;

void crop_rotated(const DeviceArray& images, const Maps& maps, int samples, float outside, const DeviceArray& out,
                  Stream& stream) {
    for_voxels(images, [&](auto voxel) {
        using Voxel = decltype(voxel);
        Work work(stream);
        const auto in = work.input<Voxel, 3>(images, "images");
        const auto result = work.output<float, 4>(out, "out");
        check_crops(in.shape(1) * in.shape(2), maps, 2, result);
        require(in.shape(0) == result.shape(1), "out has other channels than images");
        require(1 <= samples && samples <= 64, "samples is not 1..64");
        const Volume<Voxel> image = volume_of(in.data, 1, in.shape(1), in.shape(2));
        const int channels = static_cast<int>(in.shape(0));
        const int rows = static_cast<int>(result.shape(2)), columns = static_cast<int>(result.shape(3));
        const cuda::CropJob<Voxel> job = {image,   channels, maps.data(), 1, rows, columns,
                                          samples, outside,  result.data};
        work.run([&] { cuda::crop<2>(job, maps.shape(0), stream); });
    });
}

void crop_oblique(const DeviceArray& volume, const Maps& maps, float outside, const DeviceArray& out, Stream& stream) {
    for_voxels(volume, [&](auto voxel) {
        using Voxel = decltype(voxel);
        Work work(stream);
        const auto in = work.input<Voxel, 3>(volume, "volume");
        const auto result = work.output<float, 4>(out, "out");
        check_crops(in.size(), maps, 3, result);
        const Volume<Voxel> checked = volume_of(in.data, in.shape(0), in.shape(1), in.shape(2));
        const int slices = static_cast<int>(result.shape(1));
        const int rows = static_cast<int>(result.shape(2)), columns = static_cast<int>(result.shape(3));
        const cuda::CropJob<Voxel> job = {checked, 1, maps.data(), slices, rows, columns, 1, outside, result.data};
        work.run([&] { cuda::crop<3>(job, maps.shape(0), stream); });
    });
}

}  // namespace

void bind_cuda_crops(nb::module_& m) {
    m.def("crop_rotated", &crop_rotated, "images"_a, "maps"_a.noconvert(), "samples"_a, "outside"_a, "out"_a,
          "stream"_a);
    m.def("crop_oblique", &crop_oblique, "volume"_a, "maps"_a.noconvert(), "outside"_a, "out"_a, "stream"_a);
}
