// Vectors along vertebrae and the angles between them.
#include "../cpu/angles.h"
#include "arrays.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Corners = nb::ndarray<const double, nb::shape<-1, 4, 2>, nb::c_contig, nb::device::cpu>;

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

}  // namespace

void bind_angles(nb::module_& m) {
    m.def("tilt_vectors", &tilt_vectors, "corners"_a.noconvert(), "vectors"_a.noconvert());
    m.def("angle_matrix", &angle_matrix, "vectors"_a.noconvert(), "degrees"_a.noconvert());
}
