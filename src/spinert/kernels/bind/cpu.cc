// Python bindings of the CPU kernels: types and shapes are checked, the GIL is released; no arithmetic.
//
// Outputs are arguments, so that a caller can reuse them and a test can guard what lies around them; the module
// spinert.kernels is the interface for everybody else.
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "../kernels.h"
#include "arrays.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

void force_isa(const std::string& name) {
    if (!spinert::force_isa(name)) throw nb::value_error(("ISA " + name + " is unknown or not usable here").c_str());
}

}  // namespace

NB_MODULE(_cpu, m) {
    m.doc() = "CPU kernels; see spinert.kernels, which checks, allocates and documents.";
    m.attr("ABI") = spinert::kAbi;
    m.def("compiled_isas", &spinert::compiled_isas);
    m.def("usable_isas", &spinert::usable_isas);
    m.def("active_isa", &spinert::active_isa);
    m.def("force_isa", &force_isa, "name"_a);
    bind_radiograph(m);
    bind_intensity(m);
    bind_contrast(m);
    bind_resample(m);
    bind_crops(m);
    bind_heatmaps(m);
    bind_boxes(m);
    bind_clusters(m);
    bind_curves(m);
    bind_midlines(m);
    bind_components(m);
    bind_tiles(m);
    bind_votes(m);
    bind_angles(m);
}
