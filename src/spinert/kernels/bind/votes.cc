// Votes of voxels and of slices.
#include "../cpu/votes.h"

#include <nanobind/stl/optional.h>

#include "apart.h"
#include "groups.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

using Centres = nb::ndarray<const double, nb::shape<-1, 3>, nb::c_contig, nb::device::cpu>;

void gaussian_mean(Array<const float, 3> volume, Centres centres, int64_t cube, double sigma, Array<double, 1> means,
                   int threads) {
    require(1 <= cube && cube < INT_MAX, "cube is below 1 or too large");
    require(0.0 < sigma && sigma <= __DBL_MAX__, "sigma is not above 0 and finite");
    require(means.shape(0) == centres.shape(0), "means has another n than centres");
    require_apart("means share memory with volume or centres", means, volume, centres);
    require(threads >= 1, "threads is below 1");
    const spinert::FloatVolume view = {volume.data(),
                                  {static_cast<int64_t>(volume.shape(0)), static_cast<int64_t>(volume.shape(1)),
                                   static_cast<int64_t>(volume.shape(2))}};
    nb::gil_scoped_release unlocked;
    spinert::gaussian_mean(view, centres.data(), centres.shape(0), {cube, sigma}, means.data(), threads);
}

void vertebra_votes(Array<const float, 2> probabilities, Offsets offsets, int64_t threshold, Array<int32_t, 1> labels,
                    Array<int32_t, 2> counts, int threads) {
    const spinert::Groups groups = groups_of(offsets, probabilities.shape(0));
    const size_t classes = probabilities.shape(1);
    require(probabilities.shape(0) < INT_MAX && classes < INT_MAX, "probabilities are too many");
    require(classes >= 1 && counts.shape(1) == classes, "counts has not the classes of probabilities");
    require(labels.shape(0) == groups.count && counts.shape(0) == groups.count,
            "outputs have another number of vertebrae than offsets");
    require(threshold >= 0, "threshold is below 0");
    require_apart("outputs share memory with each other or with probabilities", labels, probabilities, counts);
    require_apart("outputs share memory with each other or with probabilities", counts, probabilities);
    require_apart_from_offsets(offsets, labels, counts);
    require(threads >= 1, "threads is below 1");
    nb::gil_scoped_release unlocked;
    spinert::vertebra_votes({probabilities.data(), classes, threshold, labels.data(), counts.data()}, groups, threads);
}

}  // namespace

void bind_votes(nb::module_& m) {
    m.def("gaussian_mean", &gaussian_mean, "volume"_a.noconvert(), "centres"_a.noconvert(), "cube"_a, "sigma"_a,
          "means"_a.noconvert(), "threads"_a);
    m.def("vertebra_votes", &vertebra_votes, "probabilities"_a.noconvert(), "offsets"_a.noconvert().none(),
          "threshold"_a, "labels"_a.noconvert(), "counts"_a.noconvert(), "threads"_a);
}
