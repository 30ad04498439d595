// Crops of images and volumes.
#include "../cpu/crops.h"
#include "arrays.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class Voxel>
spinert::Volume<Voxel> volume_of(const Voxel* voxels, size_t slices, size_t rows, size_t columns) {
    require(slices > 0 && rows > 0 && columns > 0, "it is empty");
    require(slices < INT_MAX && rows < INT_MAX && columns < INT_MAX / rows / slices, "it is too large");
    return {voxels, static_cast<int>(slices), static_cast<int>(rows), static_cast<int>(columns)};
}

void check(const Array<const double, 3>& maps, size_t axes, const Array<float, 4>& out, int threads) {
    require(maps.shape(1) == axes && maps.shape(2) == axes + 1, "maps is not [n, axes, axes + 1]");
    require(out.shape(0) == maps.shape(0), "out has another n than maps");
    for (size_t axis = 1; axis < 4; ++axis) require(out.shape(axis) < INT_MAX / 2, "out is too large");
    require(threads >= 1, "threads is below 1");
}

template <class Voxel>
void crop_rotated(Array<const Voxel, 3> images, Array<const double, 3> maps, int samples, float outside,
                  Array<float, 4> out, int threads) {
    check(maps, 2, out, threads);
    require(images.shape(0) == out.shape(1), "out has other channels than images");
    require(1 <= samples && samples <= 64, "samples is not 1..64");
    const auto image = volume_of<Voxel>(images.data(), 1, images.shape(1), images.shape(2));
    const int rows = static_cast<int>(out.shape(2)), columns = static_cast<int>(out.shape(3));
    nb::gil_scoped_release unlocked;
    const spinert::CropJob<Voxel> job = {
        image, static_cast<int>(images.shape(0)), 2, maps.data(), 1, rows, columns, samples, outside, out.data()};
    spinert::crop(job, maps.shape(0), threads);
}

template <class Voxel>
void crop_oblique(Array<const Voxel, 3> volume, Array<const double, 3> maps, float outside, Array<float, 4> out,
                  int threads) {
    check(maps, 3, out, threads);
    const auto checked = volume_of<Voxel>(volume.data(), volume.shape(0), volume.shape(1), volume.shape(2));
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
