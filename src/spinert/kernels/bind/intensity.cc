// Stored values to network input, by way of Hounsfield units.
#include <nanobind/stl/optional.h>

#include <algorithm>

#include "../cpu/intensity.h"

#include "apart.h"
#include "half.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

// [slices, rows, columns] or one image [rows, columns].
template <class T>
using Voxels = nb::ndarray<T, nb::c_contig, nb::device::cpu>;
using Doubles = Array<const double, 1>;

template <class Pixel>
spinert::StoredVolume<Pixel> volume(const Voxels<const Pixel>& stored, const Doubles& slopes,
                                    const Doubles& intercepts, int threads) {
    require(stored.ndim() == 2 || stored.ndim() == 3, "stored is neither an image nor a volume");
    const size_t slices = stored.ndim() == 3 ? stored.shape(0) : 1;
    const size_t rows = stored.shape(stored.ndim() - 2), columns = stored.shape(stored.ndim() - 1);
    const bool per_slice = slopes.shape(0) != 1;
    require(slopes.shape(0) == intercepts.shape(0) && (!per_slice || slopes.shape(0) == slices),
            "slopes and intercepts are not one, or one for each slice");
    require(rows == 0 || columns <= UINT_MAX / rows, "a slice has too many voxels");
    require(threads >= 1, "threads is below 1");
    // of a volume without voxels not even the slices count
    return {stored.data(), stored.size() == 0 ? 0 : slices, rows, columns, slopes.data(), intercepts.data(), per_slice};
}

template <class Pixel, class Out>
void rescale_hu(Voxels<const Pixel> stored, Doubles slopes, Doubles intercepts, double low, double high, double shift,
                double scale, float outside, bool filled, Voxels<Out> out, int threads) {
    const auto checked = volume<Pixel>(stored, slopes, intercepts, threads);
    require_same_shape(stored, out, "out has another shape than stored");
    require_apart("out shares memory with another array", out, stored, slopes, intercepts);
    require(low <= high && scale > 0.0, "not low <= high, or scale is not above 0");
    require(sizeof(Out) > 1 || (0.0f <= outside && outside <= 255.0f), "outside is not 0..255");
    nb::gil_scoped_release unlocked;
    spinert::rescale_hu(checked, {low, high, shift, scale, outside, filled}, out.data(), threads);
}

template <class Pixel, class Out>
void zscore_hu(Voxels<const Pixel> stored, Doubles slopes, Doubles intercepts, double low, double high,
               std::optional<Voxels<const uint8_t>> mask, Array<double, 1> moments, Voxels<Out> out, int threads) {
    const auto checked = volume<Pixel>(stored, slopes, intercepts, threads);
    require_same_shape(stored, out, "out has another shape than stored");
    if (mask) require_same_shape(stored, *mask, "mask has another shape than stored");
    require(low <= high, "not low <= high");
    require(moments.shape(0) == 3, "moments are not 3");
    require_apart("out shares memory with another array", out, stored, slopes, intercepts, moments);
    require_apart("moments share memory with another array", moments, stored, slopes, intercepts);
    if (mask) require_apart("an output shares memory with mask", *mask, out, moments);
    nb::gil_scoped_release unlocked;
    spinert::zscore_hu(checked, low, high, mask ? mask->data() : nullptr, moments.data(), out.data(), threads);
}

template <class Pixel>
void threshold_mask(Voxels<const Pixel> stored, Doubles slopes, Doubles intercepts, double low, double high,
                    Voxels<uint8_t> mask, Array<int64_t, 2> box, int threads) {
    const auto checked = volume<Pixel>(stored, slopes, intercepts, threads);
    require_same_shape(stored, mask, "mask has another shape than stored");
    require(low <= high, "not low <= high");
    require(box.shape(0) == stored.ndim() && box.shape(1) == 2, "box is not [axes of stored, 2]");
    require_apart("mask shares memory with another array", mask, stored, slopes, intercepts, box);
    require_apart("box shares memory with stored", box, stored);
    nb::gil_scoped_release unlocked;
    int64_t all[6];
    spinert::threshold_mask(checked, low, high, mask.data(), all, threads);
    std::copy(all + 6 - box.size(), all + 6, box.data());
}

template <class Pixel, class Out>
void bind_output(nb::module_& m) {
    m.def("rescale_hu", &rescale_hu<Pixel, Out>, "stored"_a.noconvert(), "slopes"_a.noconvert(),
          "intercepts"_a.noconvert(), "low"_a, "high"_a, "shift"_a, "scale"_a, "outside"_a, "filled"_a,
          "out"_a.noconvert(), "threads"_a);
}

template <class Pixel, class Out>
void bind_zscore(nb::module_& m) {
    m.def("zscore_hu", &zscore_hu<Pixel, Out>, "stored"_a.noconvert(), "slopes"_a.noconvert(),
          "intercepts"_a.noconvert(), "low"_a, "high"_a, "mask"_a.noconvert().none(), "moments"_a.noconvert(),
          "out"_a.noconvert(), "threads"_a);
}

template <class Pixel>
void bind_pixels(nb::module_& m) {
    bind_output<Pixel, float>(m);
    bind_output<Pixel, spinert::Half>(m);
    bind_output<Pixel, uint8_t>(m);
    bind_zscore<Pixel, float>(m);
    bind_zscore<Pixel, spinert::Half>(m);
    m.def("threshold_mask", &threshold_mask<Pixel>, "stored"_a.noconvert(), "slopes"_a.noconvert(),
          "intercepts"_a.noconvert(), "low"_a, "high"_a, "mask"_a.noconvert(), "box"_a.noconvert(), "threads"_a);
}

}  // namespace

void bind_intensity(nb::module_& m) {
    bind_pixels<int16_t>(m);
    bind_pixels<uint16_t>(m);
}
