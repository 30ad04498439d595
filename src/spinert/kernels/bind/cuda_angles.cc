// Vectors along vertebrae, the angles between them, and Cobb angles of whole spines, on the device.
#include "../cuda/angles.h"

#include "../math/challenge.h"
#include "../math/end_vertebrae.h"
#include "cuda_arrays.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

void tilt_vectors(const DeviceArray& corners, const DeviceArray& vectors, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 3>(corners, "corners");
    const auto out = work.output<double, 2>(vectors, "vectors");
    require(in.shape(1) == 4 && in.shape(2) == 2, "corners are not [n, 4, 2]");
    require(out.shape(0) == in.shape(0) && out.shape(1) == 2, "vectors is not [n, 2]");
    work.run([&] { cuda::tilt_vectors(in.data, in.shape(0), out.data, stream); });
}

void angle_matrix(const DeviceArray& vectors, const DeviceArray& degrees, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 2>(vectors, "vectors");
    const auto out = work.output<double, 2>(degrees, "degrees");
    const size_t n = in.shape(0);
    require(in.shape(1) == 2, "vectors is not [n, 2]");
    require(out.shape(0) == n && out.shape(1) == n, "degrees is not [n, n]");
    work.run([&] { cuda::angle_matrices(in.data, 1, n, out.data, stream); });
}

void angle_matrices(const DeviceArray& vectors, const DeviceArray& degrees, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 3>(vectors, "vectors");
    const auto out = work.output<double, 3>(degrees, "degrees");
    const size_t n = in.shape(0), m = in.shape(1);
    require(in.shape(2) == 2, "vectors is not [n, m, 2]");
    require(out.shape(0) == n && out.shape(1) == m && out.shape(2) == m, "degrees is not [n, m, m]");
    work.run([&] { cuda::angle_matrices(in.data, n, m, out.data, stream); });
}

void challenge_angles(const DeviceArray& corners, const DeviceArray& heights, const DeviceArray& degrees,
                      const DeviceArray& ends, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 4>(corners, "corners");
    const auto of = work.input<double, 1>(heights, "heights");
    const auto degrees_out = work.output<double, 2>(degrees, "degrees");
    const auto ends_out = work.output<int32_t, 2>(ends, "ends");
    const size_t n = in.shape(0);
    require(n < INT_MAX, "spines are too many");
    require(in.shape(1) == kChallengeVertebrae && in.shape(2) == 4 && in.shape(3) == 2,
            "corners are not [n, 17, 4, 2]");
    require(of.shape(0) == n, "heights has another n than corners");
    require(degrees_out.shape(0) == n && degrees_out.shape(1) == 3, "degrees is not [n, 3]");
    require(ends_out.shape(0) == n && ends_out.shape(1) == 2, "ends is not [n, 2]");
    work.run([&] { cuda::challenge_angles(in.data, of.data, n, degrees_out.data, ends_out.data, stream); });
}

void end_vertebrae(const DeviceArray& corners, double threshold, const DeviceArray& vertebrae, const DeviceArray& turns,
                   const DeviceArray& counts, Stream& stream) {
    Work work(stream);
    const auto in = work.input<double, 4>(corners, "corners");
    const auto vertebrae_out = work.output<int32_t, 3>(vertebrae, "vertebrae");
    const auto turns_out = work.output<double, 2>(turns, "turns");
    const auto counts_out = work.output<int32_t, 1>(counts, "counts");
    const size_t n = in.shape(0), m = in.shape(1);
    require(n < INT_MAX, "spines are too many");
    require(2 <= m && m <= kMostVertebrae, "vertebrae are not 2..32");
    require(in.shape(2) == 4 && in.shape(3) == 2, "corners are not [n, m, 4, 2]");
    require(threshold > 0.0, "threshold is not above 0");
    require(vertebrae_out.shape(0) == n && vertebrae_out.shape(1) == m - 1 && vertebrae_out.shape(2) == 3,
            "vertebrae is not [n, m - 1, 3]");
    require(turns_out.shape(0) == n && turns_out.shape(1) == m - 1, "turns is not [n, m - 1]");
    require(counts_out.shape(0) == n, "counts has another n than corners");
    work.run([&] {
        cuda::end_vertebrae({in.data, n, static_cast<int>(m)}, threshold,
                            {vertebrae_out.data, turns_out.data, counts_out.data}, stream);
    });
}

}  // namespace

void bind_cuda_angles(nb::module_& m) {
    m.def("tilt_vectors", &tilt_vectors, "corners"_a, "vectors"_a, "stream"_a);
    m.def("angle_matrix", &angle_matrix, "vectors"_a, "degrees"_a, "stream"_a);
    m.def("angle_matrices", &angle_matrices, "vectors"_a, "degrees"_a, "stream"_a);
    m.def("challenge_angles", &challenge_angles, "corners"_a, "heights"_a, "degrees"_a, "ends"_a, "stream"_a);
    m.def("end_vertebrae", &end_vertebrae, "corners"_a, "threshold"_a, "vertebrae"_a, "turns"_a, "counts"_a,
          "stream"_a);
}
