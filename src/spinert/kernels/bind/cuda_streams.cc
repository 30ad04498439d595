// Stream, Event and Graph in Python.
#include <nanobind/nanobind.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>

#include "../cuda/error.h"
#include "../cuda/event.h"
#include "../cuda/graph.h"
#include "cuda_arrays.h"
#include "cuda_python.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert::cuda;

namespace {

bool has(nb::handle object, const char* name) { return nb::hasattr(object, name); }

// An address given as an int, or as a ctypes.c_void_p, whose value is None where it is 0.
uintptr_t address_of(nb::object value) {
    if (has(value, "value")) value = value.attr("value");
    return value.is_none() ? 0 : nb::cast<uintptr_t>(value);
}

uintptr_t address_of_stream(nb::handle source) {
    if (nb::isinstance<nb::int_>(source)) return nb::cast<uintptr_t>(source);
    if (has(source, "__cuda_stream__")) {
        const nb::object said = source.attr("__cuda_stream__");
        const nb::tuple version_and_address(PyCallable_Check(said.ptr()) ? said() : said);
        return nb::cast<uintptr_t>(version_and_address[1]);
    }
    for (const char* name : {"cuda_stream", "ptr", "handle"}) {  // torch; CuPy; PyCUDA and Numba
        if (has(source, name)) return address_of(source.attr(name));
    }
    const std::string text = "stream is a " + nb::cast<std::string>(nb::str(source.type().attr("__name__"))) +
                             ", expected a Stream, a stream of PyCUDA, CuPy, torch or Numba, something with "
                             "__cuda_stream__, or an int";
    throw nb::type_error(text.c_str());
}

int device_of_stream(nb::handle source, uintptr_t address) {
    int device = -1;
    if (has(source, "device_id")) return nb::cast<int>(source.attr("device_id"));
    if (address <= 2) return current_device();
    check(cudaStreamGetDevice(reinterpret_cast<cudaStream_t>(address), &device), "asking for the device of a stream");
    return device;
}

std::shared_ptr<Stream> make_stream(nb::handle source, std::optional<int> device) {
    if (source.is_none()) return Stream::create(device.value_or(current_device()));
    return stream_of(source, device.value_or(-1));
}

void wait_without_gil(Stream& stream) {
    const nb::gil_scoped_release unlocked;
    stream.synchronize();
}

}  // namespace

std::shared_ptr<Stream> stream_of(nb::handle source, int device) {
    if (nb::isinstance<Stream>(source)) return nb::cast<std::shared_ptr<Stream>>(source);
    const uintptr_t address = address_of_stream(source);
    const int on = device >= 0 ? device : device_of_stream(source, address);
    return Stream::adopt(on, address, keep(nb::borrow(source)));
}

void bind_cuda_streams(nb::module_& m) {
    nb::class_<Stream>(m, "Stream",
        "A queue of work on a device. Stream() is a new one; Stream(source) is one of CuPy, torch, PyCUDA, Numba or "
        "cuda.core, or the address of one, and keeps it alive. Make it once and use it again: it holds the scratch memory "
        "of kernels. Not for two threads at a time.")
        .def(nb::new_(&make_stream), "source"_a = nb::none(), nb::kw_only(), "device"_a = nb::none())
        .def_prop_ro("device", &Stream::device)
        .def_prop_ro("handle", [](const Stream& stream) { return reinterpret_cast<uintptr_t>(stream.get()); })
        .def_prop_ro("allocations", &Stream::allocations, "Of device memory for this stream so far.")
        .def_prop_ro("capturing", [](const Stream& stream) { return stream.queue()->capturing(); })
        .def("__cuda_stream__", [](const Stream& stream) {
            return std::tuple<int, uintptr_t>(0, reinterpret_cast<uintptr_t>(stream.get()));
        })
        .def("synchronize", &wait_without_gil, "Wait until all work queued so far is done.")
        .def("wait", [](const Stream& stream, const Event& event) { wait(*stream.queue(), event); }, "event"_a,
             "Work queued from now on runs after the event.")
        .def("reserve", [](Stream& stream, size_t bytes) { stream.scratch(bytes); }, "bytes"_a,
             "Have at least this much scratch memory for kernels, so that they need not allocate it.");
    m.def("default_stream", [](std::optional<int> device) {
        return Stream::of_device(device.value_or(current_device()));
    }, "device"_a = nb::none(), "The legacy default stream, of the current device unless one is given.");

    nb::class_<Event>(m, "Event", "A place in a stream, to wait for and to time by.")
        .def("__init__", [](Event* self, std::optional<int> device) {
            new (self) Event(device.value_or(current_device()));
        }, "device"_a = nb::none())
        .def_prop_ro("device", &Event::device)
        .def("record", [](Event& event, const Stream& stream) { event.record(*stream.queue()); }, "stream"_a,
             "Here, behind what the stream holds.")
        .def("query", &Event::query, "Whether the stream has passed it.")
        .def("synchronize", &Event::synchronize, nb::call_guard<nb::gil_scoped_release>(),
             "Wait until the stream has passed it.")
        .def("elapsed_ms", &Event::elapsed_ms, "start"_a,
             "Milliseconds on the device since another event; both must have been passed.");

    nb::class_<Graph>(m, "Graph",
        "Work queued on a stream within `with Graph(stream) as graph:`, launched as a whole as often as one likes. It "
        "keeps the arrays it uses alive. Whatever would wait or allocate within the block is refused.")
        .def(nb::init<std::shared_ptr<Stream>>(), "stream"_a)
        .def("__enter__", [](nb::handle self) {
            nb::cast<Graph&>(self).begin();
            return nb::borrow(self);
        }, nb::sig("def __enter__(self) -> Graph"))
        .def("__exit__", [](Graph& graph, nb::handle kind, nb::handle, nb::handle) {
            kind.is_none() ? graph.end() : graph.abandon();
        }, "kind"_a.none(), "error"_a.none(), "traceback"_a.none())
        .def("launch", [](Graph& graph, const std::shared_ptr<Stream>& stream) {
            graph.launch(*(stream ? stream : graph.stream())->queue());
        }, "stream"_a = nb::none(), "Queue it on a stream, its own unless another is given.");
}
