// Python objects that C++ holds on to, and arguments that come in several shapes.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>

#include "../cuda/stream.h"

// Keeps a Python object alive; let go of from any thread.
inline std::shared_ptr<void> keep(nanobind::object object) {
    PyObject* held = object.release().ptr();
    return std::shared_ptr<void>(held, [](void* of) {
        if (!Py_IsInitialized()) return;
        const nanobind::gil_scoped_acquire locked;
        Py_DECREF(static_cast<PyObject*>(of));
    });
}

// A Stream as it is; else a stream of PyCUDA, CuPy, torch, Numba or cuda.core, or its address, without owning it.
// `device` is -1 for the stream's own, which for the default streams is the current one.
std::shared_ptr<spinert::cuda::Stream> stream_of(nanobind::handle source, int device = -1);

