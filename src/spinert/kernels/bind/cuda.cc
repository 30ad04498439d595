// Python bindings of the CUDA module: an optional one, absent where nvcc was when spinert was built.
#include <nanobind/nanobind.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>

#include "../cuda/device.h"
#include "../kernels.h"

namespace nb = nanobind;

NB_MODULE(_cuda, m) {
    m.doc() = "CUDA kernels; see spinert.kernels.";
    m.attr("ABI") = spinert::kAbi;
    m.def("devices", [] {
        const spinert::Devices devices = spinert::cuda_devices();
        return std::pair<int, std::string>(devices.count, devices.reason);
    }, "Number of devices, and why there is none.");
}
