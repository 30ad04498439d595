// DeviceArray in Python, and its two ways to other libraries.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "cuda_arrays.h"
#include "cuda_import.h"
#include "cuda_python.h"
#include "dlpack.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert::cuda;
using namespace spinert::dlpack;

namespace {

uintptr_t pointer(const DeviceArray& array) {
    return array.size() == 0 ? 0 : reinterpret_cast<uintptr_t>(array.data);
}

nb::tuple shape_of(const DeviceArray& array) {
    nb::list lengths;
    for (size_t length : array.shape) lengths.append(length);
    return nb::tuple(lengths);
}

// version 3; the stream says behind what a consumer must be
nb::dict interface(const DeviceArray& array) {
    nb::dict of;
    of["shape"] = shape_of(array);
    of["typestr"] = (array.dtype->bytes == 1 ? "|" : "<") + std::string(1, array.dtype->kind) +
                    std::to_string(array.dtype->bytes);
    of["data"] = nb::make_tuple(pointer(array), array.readonly);
    of["strides"] = nb::none();
    of["stream"] = reinterpret_cast<uintptr_t>(array.stream->get());
    of["version"] = 3;
    return of;
}

struct Exported {
    DeviceArray array;
    std::vector<int64_t> shape, strides;

    // Consumers of the default streams are done with the memory before it is used again.
    ~Exported() {
        try {
            order(*Stream::of_device(array.device())->queue(), *array.stream->queue());
        } catch (const std::exception&) {  // captured, or the process is ending
        }
    }
};

template <class Structure>
Structure* describe(const DeviceArray& array) {
    auto* held = new Exported{array, {array.shape.begin(), array.shape.end()}, {}};
    held->strides.assign(array.shape.size(), 1);
    for (size_t i = array.shape.size(); i-- > 1;) held->strides[i - 1] = held->strides[i] * held->shape[i];
    auto* structure = new Structure{};
    structure->context = held;
    structure->deleter = [](Structure* self) {
        delete static_cast<Exported*>(self->context);
        delete self;
    };
    const uint8_t code = array.dtype->kind == 'i' ? 0 : array.dtype->kind == 'u' ? 1 : 2;
    structure->tensor.data = reinterpret_cast<void*>(pointer(array));
    structure->tensor.device = {kCuda, array.device()};
    structure->tensor.ndim = static_cast<int32_t>(array.shape.size());
    structure->tensor.dtype = {code, static_cast<uint8_t>(8 * array.dtype->bytes), 1};
    structure->tensor.shape = held->shape.data();
    structure->tensor.strides = held->strides.data();
    return structure;
}

// A capsule that nobody took frees what it holds.
template <class Structure>
nb::object capsule_of(Structure* structure, const char* name) {
    PyObject* capsule = PyCapsule_New(structure, name, [](PyObject* self) {
        const char* now = PyCapsule_GetName(self);
        if (now == nullptr || now[0] == 'u') return;  // used_...
        auto* unused = static_cast<Structure*>(PyCapsule_GetPointer(self, now));
        unused->deleter(unused);
    });
    if (!capsule) throw nb::python_error();
    return nb::steal(capsule);
}

nb::object to_dlpack(const DeviceArray& array, std::optional<intptr_t> stream,
                     std::optional<std::pair<int, int>> max_version, std::optional<std::pair<int, int>> dl_device,
                     std::optional<bool> copy) {
    if (copy.value_or(false)) throw nb::buffer_error("a copy was asked for, expected copy=False or None");
    if (dl_device && *dl_device != std::pair(kCuda, array.device())) {
        throw nb::buffer_error("the array can only be handed over on the device it lies on");
    }
    const intptr_t consumer = stream.value_or(1);
    if (consumer == 0 || consumer < -1) {
        throw nb::value_error("stream is 0 or below -1, expected None, -1, 1, 2 or an address");
    }
    if (consumer != -1) {
        const Queue queue(array.device(), reinterpret_cast<cudaStream_t>(consumer), false, nullptr);
        order(*array.stream->queue(), queue);
    }
    if (max_version && max_version->first >= 1) {
        auto* structure = describe<ManagedVersioned>(array);
        structure->version = {1, 1};
        structure->flags = array.readonly ? kReadOnly : 0;
        return capsule_of(structure, "dltensor_versioned");
    }
    if (array.readonly) throw nb::buffer_error("the array is read-only, which DLPack can say from version 1 on");
    return capsule_of(describe<Managed>(array), "dltensor");
}

DeviceArray empty(const std::vector<size_t>& shape, nb::handle dtype, const std::shared_ptr<Stream>& stream) {
    DeviceArray array;
    const std::string name = nb::cast<std::string>(nb::module_::import_("numpy").attr("dtype")(dtype).attr("name"));
    array.dtype = find_dtype(name);
    if (!array.dtype) throw nb::type_error(("dtype is " + name + ", which device arrays do not have").c_str());
    array.shape = shape;
    size_t bytes = static_cast<size_t>(array.dtype->bytes);
    for (size_t length : shape) {
        if (__builtin_mul_overflow(bytes, length, &bytes)) throw nb::value_error("shape is too large");
    }
    array.stream = stream ? stream : Stream::of_device(current_device());
    const auto buffer = std::make_shared<Buffer>(*array.stream, bytes);
    array.data = buffer->data();
    array.memory = buffer;
    return array;
}

std::string text_of(const DeviceArray& array) {
    return std::string("DeviceArray(") + array.dtype->name + " " + shape_text(array.shape) + " on device " +
           std::to_string(array.device()) + (array.readonly ? ", read-only)" : ")");
}

}  // namespace

void bind_cuda_arrays(nb::module_& m) {
    nb::class_<DeviceArray>(m, "DeviceArray",
        "A C-order array on a CUDA device, with memory of its own or of an owner that it keeps alive.")
        .def_prop_ro("shape", &shape_of, nb::sig("def shape(self) -> tuple[int, ...]"))
        .def_prop_ro("dtype", [](const DeviceArray& array) {
            return nb::module_::import_("numpy").attr("dtype")(array.dtype->name);
        }, nb::sig("def dtype(self) -> numpy.dtype[typing.Any]"))
        .def_prop_ro("ndim", [](const DeviceArray& array) { return array.shape.size(); })
        .def_prop_ro("size", &DeviceArray::size)
        .def_prop_ro("nbytes", &DeviceArray::bytes)
        .def_prop_ro("device", &DeviceArray::device)
        .def_prop_ro("stream", [](const DeviceArray& array) { return array.stream; })
        .def_prop_ro("readonly", [](const DeviceArray& array) { return array.readonly; },
                     "Whether kernels refuse it as an output.")
        .def_prop_ro("__cuda_array_interface__", &interface,
                     nb::sig("def __cuda_array_interface__(self) -> dict[str, typing.Any]"),
                     "CUDA array interface, version 3; its stream is the one that the array belongs to.")
        .def("__dlpack__", &to_dlpack, nb::kw_only(), "stream"_a = nb::none(), "max_version"_a = nb::none(),
             "dl_device"_a = nb::none(), "copy"_a = nb::none(),
             "A DLPack capsule, versioned from max_version (1, 0) on; the consumer's stream waits for the array's.")
        .def("__dlpack_device__", [](const DeviceArray& array) { return std::pair<int, int>(kCuda, array.device()); })
        .def("__len__", [](const DeviceArray& array) {
            if (array.shape.empty()) throw nb::type_error("an array without axes has no length");
            return array.shape[0];
        })
        .def("__repr__", &text_of);
    m.def("device_array", &import_array, "source"_a, "stream"_a = nb::none(), nb::sig(
              "def device_array(source: typing.Any, stream: Stream | None = None) -> DeviceArray"),
          "An array of CuPy, torch, PyCUDA, Numba or of this module, on a stream; no copy is made. TypeError for one that "
          "is not C-contiguous, lies elsewhere or has another element type than DeviceArray knows.");
    m.def("empty", &empty, "shape"_a, "dtype"_a, "stream"_a = nb::none(), nb::sig(
              "def empty(shape: collections.abc.Sequence[int], dtype: numpy.typing.DTypeLike, "
              "stream: Stream | None = None) -> DeviceArray"),
          "A new array, not initialised, on a stream or the default one.");
}
