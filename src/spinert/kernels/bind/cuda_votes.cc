// Votes of voxels and of slices, on the device.
#include "../cuda/votes.h"
#include "cuda_groups.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert;

namespace {

void gaussian_mean(const DeviceArray& volume, const DeviceArray& centres, int64_t cube, double sigma,
                   const DeviceArray& means, Stream& stream) {
    Work work(stream);
    const auto in = work.input<float, 3>(volume, "volume");
    const auto at = work.input<double, 2>(centres, "centres");
    const auto out = work.output<double, 1>(means, "means");
    require(1 <= cube && cube < INT_MAX, "cube is below 1 or too large");
    require(0.0 < sigma && sigma <= __DBL_MAX__, "sigma is not above 0 and finite");
    require(at.shape(1) == 3 && at.shape(0) < INT_MAX, "centres are not [n, 3] or too many");
    require(out.shape(0) == at.shape(0), "means has another n than centres");
    const FloatVolume view = {in.data,
                                    {static_cast<int64_t>(in.shape(0)), static_cast<int64_t>(in.shape(1)),
                                     static_cast<int64_t>(in.shape(2))}};
    work.run([&] { cuda::gaussian_mean(view, at.data, at.shape(0), {cube, sigma}, out.data, stream); });
}

void vertebra_votes(const DeviceArray& probabilities, const DeviceArray* offsets, int64_t threshold,
                    const DeviceArray& labels, const DeviceArray& counts, Stream& stream) {
    Work work(stream);
    const auto in = work.input<float, 2>(probabilities, "probabilities");
    const cuda::Groups groups = groups_of(work, offsets, in.shape(0));
    const auto found = work.output<int32_t, 1>(labels, "labels");
    const auto counted = work.output<int32_t, 2>(counts, "counts");
    const size_t classes = in.shape(1);
    require(classes >= 1 && classes < INT_MAX && counted.shape(1) == classes,
            "counts has not the classes of probabilities");
    require(found.shape(0) == groups.count && counted.shape(0) == groups.count,
            "outputs have another number of vertebrae than offsets");
    require(threshold >= 0, "threshold is below 0");
    work.run([&] {
        cuda::vertebra_votes({in.data, classes, threshold, found.data, counted.data}, groups, stream);
    });
}

}  // namespace

void bind_cuda_votes(nb::module_& m) {
    m.def("gaussian_mean", &gaussian_mean, "volume"_a, "centres"_a, "cube"_a, "sigma"_a, "means"_a, "stream"_a);
    m.def("vertebra_votes", &vertebra_votes, "probabilities"_a, "offsets"_a.none(), "threshold"_a, "labels"_a,
          "counts"_a, "stream"_a);
}
