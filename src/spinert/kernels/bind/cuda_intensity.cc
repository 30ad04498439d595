// Stored values to network input, on the device. Slopes and intercepts are the header's, in host memory.
#include <nanobind/ndarray.h>

#include "../cuda/intensity.h"
#include "cuda_arrays.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

using Doubles = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

// body(a value of the elements' type); TypeError for an array of another type.
template <class Body>
void with_pixels(const DeviceArray& stored, const Body& body) {
    if (stored.dtype == cuda::dtype_of<int16_t>()) return body(int16_t{});
    if (stored.dtype == cuda::dtype_of<uint16_t>()) return body(uint16_t{});
    refuse("stored", stored, "int16 or uint16", 3, "");
}

// Of rank 3, or 2 for one image.
template <class T>
const T* take_voxels(Work& work, const DeviceArray& array, const char* name) {
    return array.shape.size() == 2 ? work.input<T, 2>(array, name).data : work.input<T, 3>(array, name).data;
}
template <class T>
T* take_output(Work& work, const DeviceArray& array, const char* name) {
    return array.shape.size() == 2 ? work.output<T, 2>(array, name).data : work.output<T, 3>(array, name).data;
}
Half* take_halves(Work& work, const DeviceArray& array) {
    return reinterpret_cast<Half*>(take_output<__half>(work, array, "out"));
}

template <class Pixel>
StoredVolume<Pixel> volume(Work& work, const DeviceArray& stored, const Doubles& slopes, const Doubles& intercepts) {
    const Pixel* data = take_voxels<Pixel>(work, stored, "stored");
    const size_t rank = stored.shape.size(), slices = rank == 3 ? stored.shape[0] : 1;
    const size_t rows = stored.shape[rank - 2], columns = stored.shape[rank - 1];
    const bool per_slice = slopes.shape(0) != 1;
    require(slopes.shape(0) == intercepts.shape(0) && (!per_slice || slopes.shape(0) == slices),
            "slopes and intercepts are not one, or one for each slice");
    require(rows == 0 || columns <= UINT_MAX / rows, "a slice has too many voxels");
    require(slices < INT_MAX && rows < INT_MAX && columns < INT_MAX, "stored is too large");
    return {data, slices, rows, columns, slopes.data(), intercepts.data(), per_slice};
}

void rescale_hu(const DeviceArray& stored, Doubles slopes, Doubles intercepts, double low, double high, double shift,
                double scale, float outside, bool filled, const DeviceArray& out, Stream& stream) {
    with_pixels(stored, [&](auto pixel) {
        Work work(stream);
        const auto in = volume<decltype(pixel)>(work, stored, slopes, intercepts);
        const Grading grading = {low, high, shift, scale, outside, filled};
        require(out.shape == stored.shape, "out has another shape than stored");
        require(low <= high && scale > 0.0, "not low <= high, or scale is not above 0");
        if (out.dtype == cuda::dtype_of<uint8_t>()) {
            require(0.0f <= outside && outside <= 255.0f, "outside is not 0..255");
            uint8_t* to = take_output<uint8_t>(work, out, "out");
            work.run([&] { cuda::rescale_hu(in, grading, to, stream); });
        } else if (out.dtype == cuda::dtype_of<__half>()) {
            Half* to = take_halves(work, out);
            work.run([&] { cuda::rescale_hu(in, grading, to, stream); });
        } else {
            float* to = take_output<float>(work, out, "out");
            work.run([&] { cuda::rescale_hu(in, grading, to, stream); });
        }
    });
}

void zscore_hu(const DeviceArray& stored, Doubles slopes, Doubles intercepts, double low, double high,
               const DeviceArray* mask, const DeviceArray& moments, const DeviceArray& out, Stream& stream) {
    with_pixels(stored, [&](auto pixel) {
        Work work(stream);
        const auto in = volume<decltype(pixel)>(work, stored, slopes, intercepts);
        require(out.shape == stored.shape, "out has another shape than stored");
        require(mask == nullptr || mask->shape == stored.shape, "mask has another shape than stored");
        require(low <= high, "not low <= high");
        const uint8_t* wanted = mask == nullptr ? nullptr : take_voxels<uint8_t>(work, *mask, "mask");
        const auto found = work.output<double, 1>(moments, "moments");
        require(found.shape(0) == 3, "moments are not 3");
        if (out.dtype == cuda::dtype_of<__half>()) {
            Half* to = take_halves(work, out);
            work.run([&] { cuda::zscore_hu(in, low, high, wanted, found.data, to, stream); });
        } else {
            float* to = take_output<float>(work, out, "out");
            work.run([&] { cuda::zscore_hu(in, low, high, wanted, found.data, to, stream); });
        }
    });
}

void threshold_mask(const DeviceArray& stored, Doubles slopes, Doubles intercepts, double low, double high,
                    const DeviceArray& mask, const DeviceArray& box, Stream& stream) {
    with_pixels(stored, [&](auto pixel) {
        Work work(stream);
        const auto in = volume<decltype(pixel)>(work, stored, slopes, intercepts);
        require(mask.shape == stored.shape, "mask has another shape than stored");
        require(low <= high, "not low <= high");
        uint8_t* to = take_output<uint8_t>(work, mask, "mask");
        const auto ends = work.output<int64_t, 2>(box, "box");
        require(ends.shape(0) == stored.shape.size() && ends.shape(1) == 2, "box is not [axes of stored, 2]");
        const int axes = static_cast<int>(ends.shape(0));
        work.run([&] { cuda::threshold_mask(in, low, high, to, ends.data, axes, stream); });
    });
}

}  // namespace

void bind_cuda_intensity(nb::module_& m) {
    m.def("rescale_hu", &rescale_hu, "stored"_a, "slopes"_a.noconvert(), "intercepts"_a.noconvert(), "low"_a, "high"_a,
          "shift"_a, "scale"_a, "outside"_a, "filled"_a, "out"_a, "stream"_a);
    m.def("zscore_hu", &zscore_hu, "stored"_a, "slopes"_a.noconvert(), "intercepts"_a.noconvert(), "low"_a, "high"_a,
          "mask"_a.none(), "moments"_a, "out"_a, "stream"_a);
    m.def("threshold_mask", &threshold_mask, "stored"_a, "slopes"_a.noconvert(), "intercepts"_a.noconvert(), "low"_a,
          "high"_a, "mask"_a, "box"_a, "stream"_a);
}
