// Arrays of other libraries, taken without a copy.
#pragma once

#include <nanobind/nanobind.h>

#include "../cuda/array.h"

// From a DeviceArray, DLPack, or __cuda_array_interface__, in this order: DLPack orders the producer's stream with ours.
// `stream` null is the producer's where it says, else the default one.
spinert::cuda::DeviceArray import_array(nanobind::handle source, const std::shared_ptr<spinert::cuda::Stream>& stream);
