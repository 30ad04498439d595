// Crops of images and volumes.
#include "../cpu/crops.h"
#include "apart.h"
#include "volumes.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class Voxel>
void crop_rotated(Array<const Voxel, 3> images, Array<const double, 3> maps, int samples, float outside,
                  Array<float, 4> out, int threads) {
    check_crops(images.shape(1) * images.shape(2), maps, 2, out);
    require_apart("out shares memory with images or maps", out, images, maps);
    require(images.shape(0) == out.shape(1), "out has other channels than images");
    require(1 <= samples && samples <= 64, "samples is not 1..64");
    require(threads >= 1, "threads is below 1");
    const auto image = volume_of(images.data(), 1, images.shape(1), images.shape(2));
    const int rows = static_cast<int>(out.shape(2)), columns = static_cast<int>(out.shape(3));
    nb::gil_scoped_release unlocked;
    const spinert::CropJob<Voxel> job = {
        image, static_cast<int>(images.shape(0)), 2, maps.data(), 1, rows, columns, samples, outside, out.data()};
    spinert::crop(job, maps.shape(0), threads);
}

template <class Voxel>
void crop_oblique(Array<const Voxel, 3> volume, Array<const double, 3> maps, float outside, Array<float, 4> out,
                  int threads) {
    check_crops(volume.size(), maps, 3, out);
    require_apart("out shares memory with volume or maps", out, volume, maps);
    require(threads >= 1, "threads is below 1");
    const auto checked = volume_of(volume.data(), volume.shape(0), volume.shape(1), volume.shape(2));
    const int slices = static_cast<int>(out.shape(1));
    const int rows = static_cast<int>(out.shape(2)), columns = static_cast<int>(out.shape(3));
    nb::gil_scoped_release unlocked;
    const spinert::CropJob<Voxel> job = {checked, 1, 3, maps.data(), slices, rows, columns, 1, outside, out.data()};
    spinert::crop(job, maps.shape(0), threads);
}

template <class Voxel>
void bind_voxels(nb::module_& m) {
    m.def("crop_rotated", &crop_rotated<Voxel>, "images"_a.noconvert(), "maps"_a.noconvert(), "samples"_a, "outside"_a,
          "out"_a.noconvert(), "threads"_a);
    m.def("crop_oblique", &crop_oblique<Voxel>, "volume"_a.noconvert(), "maps"_a.noconvert(), "outside"_a,
          "out"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_crops(nb::module_& m) {
    bind_voxels<uint8_t>(m);
    bind_voxels<int16_t>(m);
    bind_voxels<uint16_t>(m);
    bind_voxels<float>(m);
}
