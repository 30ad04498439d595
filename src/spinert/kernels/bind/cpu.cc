// Python bindings of the CPU kernels: types and shapes are checked, the GIL is released; no arithmetic.
//
// Outputs are arguments, so that a caller can reuse them and a test can guard what lies around them; the module
// spinert.kernels is the interface for everybody else.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <climits>

#include "../kernels.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template <class T, int kRank>
using Array = nb::ndarray<T, nb::ndim<kRank>, nb::c_contig, nb::device::cpu>;
template <class T>
using Points = nb::ndarray<T, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;
using Corners = nb::ndarray<const double, nb::shape<-1, 4, 2>, nb::c_contig, nb::device::cpu>;

void require(bool condition, const char* what) {
    if (!condition) throw nb::value_error(what);
}

template <class Pixel>
spinert::Radiograph<Pixel> radiograph(const Array<const Pixel, 2>& pixels) {
    require(pixels.size() > 0, "pixels is empty");
    require(pixels.size() <= UINT_MAX && pixels.shape(0) < INT_MAX / 2 && pixels.shape(1) < INT_MAX / 2,
            "pixels is too large");
    return {pixels.data(), static_cast<int>(pixels.shape(0)), static_cast<int>(pixels.shape(1))};
}

template <class Pixel>
std::pair<int, int> order_statistics(Array<const Pixel, 2> pixels, uint64_t rank_low, uint64_t rank_high,
                                     int threads) {
    const auto image = radiograph<Pixel>(pixels);
    require(1 <= rank_low && rank_low <= rank_high && rank_high <= pixels.size(),
            "ranks are not 1 <= low <= high <= pixels");
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    const spinert::Ranked ranked = spinert::order_statistics(image, rank_low, rank_high, threads);
    return {ranked.low, ranked.high};
}

template <class Pixel>
void window_resize(Array<const Pixel, 2> pixels, int low, int high, bool inverted, int top, int left, int rows,
                   int columns, Array<float, 2> out, int threads) {
    const auto image = radiograph<Pixel>(pixels);
    require(0 <= low && low <= high && high <= static_cast<Pixel>(-1), "window is not 0 <= low <= high <= largest");
    require(out.shape(0) < INT_MAX / 2 && out.shape(1) < INT_MAX / 2, "out is too large");
    const int height = static_cast<int>(out.shape(0)), width = static_cast<int>(out.shape(1));
    require(0 <= top && 1 <= rows && rows <= height && top <= height - rows, "image rows do not lie within out");
    require(0 <= left && 1 <= columns && columns <= width && left <= width - columns,
            "image columns do not lie within out");
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::window_resize(image, {low, high, inverted}, {top, left, rows, columns}, height, width, out.data(),
                           threads);
}

spinert::Maps heatmaps(const Array<const float, 3>& maps, const Points<float>& xy, const Array<float, 1>& scalar) {
    require(maps.shape(1) > 0 && maps.shape(2) > 0, "maps have no cells");
    require(maps.shape(1) * maps.shape(2) < INT_MAX / 2, "maps are too large");
    require(xy.shape(0) == maps.shape(0) && scalar.shape(0) == maps.shape(0), "outputs have another n than the maps");
    return {maps.data(), maps.shape(0), static_cast<int>(maps.shape(1)), static_cast<int>(maps.shape(2))};
}

void soft_argmax(Array<const float, 3> maps, int radius, Points<float> xy, Array<float, 1> confidence, int threads) {
    const spinert::Maps checked = heatmaps(maps, xy, confidence);
    require(0 <= radius && radius < INT_MAX / 2, "radius is below 0 or too large");
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::soft_argmax(checked, radius, xy.data(), confidence.data(), threads);
}

void peak(Array<const float, 3> maps, Points<float> xy, Array<float, 1> value, int threads) {
    const spinert::Maps checked = heatmaps(maps, xy, value);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::peak(checked, xy.data(), value.data(), threads);
}

void tilt_vectors(Corners corners, Points<double> vectors) {
    require(vectors.shape(0) == corners.shape(0), "vectors has another n than corners");
    nb::gil_scoped_release unlocked;
    spinert::tilt_vectors(corners.data(), corners.shape(0), vectors.data());
}

void angle_matrix(Points<const double> vectors, Array<double, 2> degrees) {
    const size_t n = vectors.shape(0);
    require(degrees.shape(0) == n && degrees.shape(1) == n, "degrees is not [n, n]");
    nb::gil_scoped_release unlocked;
    spinert::angle_matrix(vectors.data(), n, degrees.data());
}

void force_isa(const std::string& name) {
    if (!spinert::force_isa(name)) throw nb::value_error(("ISA " + name + " is unknown or not usable here").c_str());
}

template <class Pixel>
void bind_radiograph(nb::module_& m) {
    m.def("order_statistics", &order_statistics<Pixel>, "pixels"_a.noconvert(), "rank_low"_a, "rank_high"_a,
          "threads"_a);
    m.def("window_resize", &window_resize<Pixel>, "pixels"_a.noconvert(), "low"_a, "high"_a, "inverted"_a, "top"_a,
          "left"_a, "rows"_a, "columns"_a, "out"_a.noconvert(), "threads"_a);
}

}  // namespace

NB_MODULE(_cpu, m) {
    m.doc() = "CPU kernels; see spinert.kernels, which checks, allocates and documents.";
    m.attr("ABI") = spinert::kAbi;
    m.def("compiled_isas", &spinert::compiled_isas);
    m.def("usable_isas", &spinert::usable_isas);
    m.def("active_isa", &spinert::active_isa);
    m.def("force_isa", &force_isa, "name"_a);
    bind_radiograph<uint8_t>(m);
    bind_radiograph<uint16_t>(m);
    m.def("soft_argmax", &soft_argmax, "maps"_a.noconvert(), "radius"_a, "xy"_a.noconvert(),
          "confidence"_a.noconvert(), "threads"_a);
    m.def("peak", &peak, "maps"_a.noconvert(), "xy"_a.noconvert(), "value"_a.noconvert(), "threads"_a);
    m.def("tilt_vectors", &tilt_vectors, "corners"_a.noconvert(), "vectors"_a.noconvert());
    m.def("angle_matrix", &angle_matrix, "vectors"_a.noconvert(), "degrees"_a.noconvert());
}
