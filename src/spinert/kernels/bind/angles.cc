// Vectors along vertebrae, the angles between them, and Cobb angles of whole spines.
#include "../cpu/angles.h"
#include "apart.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Corners = nb::ndarray<const double, nb::shape<-1, 4, 2>, nb::c_contig, nb::device::cpu>;
using Spines = nb::ndarray<const double, nb::shape<-1, -1, 4, 2>, nb::c_contig, nb::device::cpu>;
using Vectors = nb::ndarray<const double, nb::shape<-1, -1, 2>, nb::c_contig, nb::device::cpu>;

void tilt_vectors(Corners corners, Points<double> vectors, int threads) {
    require(vectors.shape(0) == corners.shape(0), "vectors has another n than corners");
    require_apart("vectors shares memory with corners", vectors, corners);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::tilt_vectors(corners.data(), corners.shape(0), vectors.data(), threads);
}

void angle_matrix(Points<const double> vectors, Array<double, 2> degrees, int threads) {
    const size_t n = vectors.shape(0);
    require(degrees.shape(0) == n && degrees.shape(1) == n, "degrees is not [n, n]");
    require_apart("degrees shares memory with vectors", degrees, vectors);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::angle_matrices(vectors.data(), 1, n, degrees.data(), threads);
}

void angle_matrices(Vectors vectors, Array<double, 3> degrees, int threads) {
    const size_t n = vectors.shape(0), m = vectors.shape(1);
    require(degrees.shape(0) == n && degrees.shape(1) == m && degrees.shape(2) == m, "degrees is not [n, m, m]");
    require_apart("degrees shares memory with vectors", degrees, vectors);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::angle_matrices(vectors.data(), n, m, degrees.data(), threads);
}

void challenge_angles(Spines corners, Array<const double, 1> heights, Array<double, 2> degrees,
                      Points<int32_t> ends, int threads) {
    const size_t n = corners.shape(0);
    require(corners.shape(1) == 17, "corners are not [n, 17, 4, 2]");
    require(heights.shape(0) == n, "heights has another n than corners");
    require(degrees.shape(0) == n && degrees.shape(1) == 3, "degrees is not [n, 3]");
    require(ends.shape(0) == n, "ends has another n than corners");
    require_apart("degrees shares memory with another array", degrees, corners, heights, ends);
    require_apart("ends shares memory with corners or heights", ends, corners, heights);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::challenge_angles(corners.data(), heights.data(), n, degrees.data(), ends.data(), threads);
}

void end_vertebrae(Spines corners, double threshold, Array<int32_t, 3> vertebrae, Array<double, 2> turns,
                   Array<int32_t, 1> counts, int threads) {
    const size_t n = corners.shape(0), m = corners.shape(1);
    require(2 <= m && m <= spinert::kMostVertebraeOfSpine, "vertebrae are not 2..32");
    require(threshold > 0.0, "threshold is not above 0");
    require(vertebrae.shape(0) == n && vertebrae.shape(1) == m - 1 && vertebrae.shape(2) == 3,
            "vertebrae is not [n, m - 1, 3]");
    require(turns.shape(0) == n && turns.shape(1) == m - 1, "turns is not [n, m - 1]");
    require(counts.shape(0) == n, "counts has another n than corners");
    require_apart("vertebrae shares memory with another array", vertebrae, corners, turns, counts);
    require_apart("turns shares memory with corners or counts", turns, corners, counts);
    require_apart("counts shares memory with corners", counts, corners);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::end_vertebrae({corners.data(), n, static_cast<int>(m), threshold, vertebrae.data(), turns.data(),
                            counts.data()},
                           threads);
}

}  // namespace

void bind_angles(nb::module_& m) {
    m.def("tilt_vectors", &tilt_vectors, "corners"_a.noconvert(), "vectors"_a.noconvert(), "threads"_a);
    m.def("angle_matrix", &angle_matrix, "vectors"_a.noconvert(), "degrees"_a.noconvert(), "threads"_a);
    m.def("angle_matrices", &angle_matrices, "vectors"_a.noconvert(), "degrees"_a.noconvert(), "threads"_a);
    m.def("challenge_angles", &challenge_angles, "corners"_a.noconvert(), "heights"_a.noconvert(),
          "degrees"_a.noconvert(), "ends"_a.noconvert(), "threads"_a);
    m.def("end_vertebrae", &end_vertebrae, "corners"_a.noconvert(), "threshold"_a, "vertebrae"_a.noconvert(),
          "turns"_a.noconvert(), "counts"_a.noconvert(), "threads"_a);
}
