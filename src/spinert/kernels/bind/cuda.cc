// Python bindings of the CUDA module: an optional one, absent where nvcc was when spinert was built.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include "../cuda/error.h"
#include "../cuda/memory.h"
#include "../kernels.h"
#include "cuda_arrays.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

#ifdef SPINERT_EMULATE_CUDA
constexpr bool kEmulated = true;
#else
constexpr bool kEmulated = false;
#endif

// As spinert.errors.DeviceError, with its problem and its remedy.
void translate(const std::exception_ptr& thrown, void*) {
    try {
        std::rethrow_exception(thrown);
    } catch (const spinert::cuda::Error& error) {
        const nb::object kind = nb::module_::import_("spinert.errors").attr("DeviceError");
        PyErr_SetObject(kind.ptr(), kind(error.problem, error.remedy).ptr());
    }
}

std::tuple<std::string, std::pair<int, int>, int, size_t> describe(int device) {
    const spinert::cuda::Description of = spinert::cuda::describe(device);
    return {of.name, {of.major, of.minor}, of.multiprocessors, of.bytes};
}

}  // namespace

NB_MODULE(_cuda, m) {
    m.doc() = "CUDA kernels; see spinert.kernels and spinert.kernels.device, which check, allocate and document.";
    m.attr("ABI") = spinert::kAbi;
    nb::register_exception_translator(translate);
    m.def("devices", [] {
        const spinert::cuda::Devices devices = spinert::cuda::devices();
        return std::pair<int, std::string>(devices.count, devices.reason);
    }, "Number of devices, and why there is none.");
    m.def("describe", &describe, "device"_a, "Name, compute capability, multiprocessors and bytes of memory.");
    m.def("emulated", [] { return kEmulated; }, "Whether this module runs on the CPU, for tests.");
    m.def("allocations", &spinert::cuda::allocations, "Allocations of device and page-locked memory so far.");
    bind_cuda_streams(m);
    bind_cuda_arrays(m);
    bind_cuda_copies(m);
    bind_cuda_radiograph(m);
    bind_cuda_intensity(m);
    bind_cuda_contrast(m);
    bind_cuda_resample(m);
    bind_cuda_crops(m);
    bind_cuda_heatmaps(m);
    bind_cuda_boxes(m);
    bind_cuda_clusters(m);
    bind_cuda_curves(m);
    bind_cuda_midlines(m);
    bind_cuda_components(m);
    bind_cuda_tiles(m);
    bind_cuda_votes(m);
    bind_cuda_angles(m);
}
