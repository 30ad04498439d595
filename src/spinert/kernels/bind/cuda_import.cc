#include "cuda_import.h"

#include "../cuda/device.h"
#include "../cuda/error.h"
#include "cuda_python.h"
#include "dlpack.h"

namespace nb = nanobind;
using namespace spinert::cuda;
using namespace spinert::dlpack;

namespace {

using StreamPtr = std::shared_ptr<Stream>;

std::string kind_of(nb::handle of) { return nb::cast<std::string>(nb::str(of.type().attr("__name__"))); }

[[noreturn]] void refuse(const std::string& text) { throw nb::type_error(text.c_str()); }

// What is held of the owner; when it is let go, the owner's stream runs behind ours, where its memory may be used again.
struct Foreign {
    std::shared_ptr<void> owner;
    std::shared_ptr<Queue> ours, theirs;

    ~Foreign() {
        try {
            order(*ours, *theirs);
        } catch (const std::exception&) {  // captured, or the process is ending
        }
    }
};

std::shared_ptr<void> hold(std::shared_ptr<void> owner, const StreamPtr& ours, const StreamPtr& theirs) {
    return std::shared_ptr<Foreign>(new Foreign{std::move(owner), ours->queue(), theirs->queue()});
}

void check_layout(const std::vector<size_t>& shape, const std::vector<int64_t>& strides, int64_t unit) {
    int64_t expected = unit;
    bool empty = false;
    for (size_t length : shape) empty |= length == 0;
    for (size_t i = shape.size(); i-- > 0 && !empty;) {
        if (shape[i] != 1 && strides[i] != expected) {
            refuse("array is " + shape_text(shape) + " and not C-contiguous, expected C order");
        }
        expected *= static_cast<int64_t>(shape[i]);
    }
}

// The device that the memory lies on; the stream's where there is no memory.
int device_of_memory(const void* data, int otherwise) {
    if (!data) return otherwise;
    cudaPointerAttributes attributes;
    check(cudaPointerGetAttributes(&attributes, data), "asking where an array lies");
    if (attributes.type != cudaMemoryTypeDevice && attributes.type != cudaMemoryTypeManaged) {
        refuse("array lies in host memory, expected device memory; upload(array) copies it there");
    }
    return attributes.device;
}

void check_device(int device, const StreamPtr& stream) {
    if (stream && stream->device() != device) {
        refuse("array is on device " + std::to_string(device) + ", expected device " +
               std::to_string(stream->device()) + " of the stream");
    }
}

DeviceArray from_interface(nb::handle source, const StreamPtr& stream) {
    const nb::object interface = source.attr("__cuda_array_interface__");
    const auto get = [&](const char* key) { return interface.attr("get")(key); };
    DeviceArray array;
    const std::string type = nb::cast<std::string>(interface["typestr"]);
    if (type.size() >= 3 && type[0] != '>') array.dtype = find_dtype(type[1], std::atoi(type.c_str() + 2));
    if (!array.dtype) refuse("array has typestr " + type + ", expected one of u1 i2 u2 i4 i8 f2 f4 f8");
    if (!get("mask").is_none()) refuse("array has a mask, expected one without");
    for (nb::handle length : interface["shape"]) array.shape.push_back(nb::cast<size_t>(length));
    if (!get("strides").is_none()) {
        std::vector<int64_t> strides;
        for (nb::handle stride : get("strides")) strides.push_back(nb::cast<int64_t>(stride));
        check_layout(array.shape, strides, array.dtype->bytes);
    }
    const nb::object data = interface["data"];
    array.data = reinterpret_cast<void*>(nb::cast<uintptr_t>(data[0]));
    array.readonly = nb::cast<bool>(data[1]);
    const int device = device_of_memory(array.data, stream ? stream->device() : current_device());
    check_device(device, stream);
    // without a word on streams it is taken to be the default one; None says that nothing needs to be waited for
    const bool silent = !nb::cast<bool>(interface.attr("__contains__")("stream"));
    const nb::object said = get("stream");
    const StreamPtr theirs = silent || said.is_none()
                                 ? Stream::of_device(device)
                                 : Stream::adopt(device, nb::cast<uintptr_t>(said), keep(nb::borrow(source)));
    array.stream = stream ? stream : theirs;
    if (silent || !said.is_none()) order(*theirs->queue(), *array.stream->queue());
    array.memory = hold(keep(nb::borrow(source)), array.stream, theirs);
    return array;
}

nb::object ask_for_capsule(nb::handle source, const Stream& stream) {
    const auto handle = reinterpret_cast<uintptr_t>(stream.get());
    nb::dict arguments;
    arguments["stream"] = handle;
    arguments["max_version"] = nb::make_tuple(1, 1);
    try {
        return source.attr("__dlpack__")(**arguments);
    } catch (nb::python_error& error) {
        if (!error.matches(PyExc_TypeError)) throw;
    }
    nb::dict older;  // before DLPack 1.0
    older["stream"] = handle;
    return source.attr("__dlpack__")(**older);
}

// Takes the structure out of its capsule: from now on calling the deleter is ours to do.
template <class Structure>
const dltensor* take(nb::handle capsule, const char* name, const char* used, std::shared_ptr<void>& owner) {
    if (!PyCapsule_IsValid(capsule.ptr(), name)) return nullptr;
    auto* structure = static_cast<Structure*>(PyCapsule_GetPointer(capsule.ptr(), name));
    PyCapsule_SetName(capsule.ptr(), used);
    owner = std::shared_ptr<void>(structure, [](void* of) {
        auto* done = static_cast<Structure*>(of);
        if (!done->deleter || !Py_IsInitialized()) return;
        const nb::gil_scoped_acquire locked;  // the producer may need it
        done->deleter(done);
    });
    return &structure->tensor;
}

DeviceArray from_dlpack(nb::handle source, const StreamPtr& wanted, int device) {
    DeviceArray array;
    array.stream = wanted ? wanted : Stream::of_device(device);
    const nb::object capsule = ask_for_capsule(source, *array.stream);
    std::shared_ptr<void> owner;
    const dltensor* tensor = take<Managed>(capsule, "dltensor", "used_dltensor", owner);
    if (!tensor) {
        tensor = take<ManagedVersioned>(capsule, "dltensor_versioned", "used_dltensor_versioned", owner);
        if (!tensor) refuse("__dlpack__ of a " + kind_of(source) + " gave no DLPack capsule");
        const auto* structure = static_cast<const ManagedVersioned*>(owner.get());
        array.readonly = (structure->flags & kReadOnly) != 0;
    }
    array.memory = hold(owner, array.stream, Stream::of_device(device));
    const char kinds[] = {'i', 'u', 'f'};
    const nb::dlpack::dtype type = tensor->dtype;
    if (type.code < 3 && type.lanes == 1) array.dtype = find_dtype(kinds[type.code], type.bits / 8);
    if (!array.dtype) {
        refuse("array has DLPack type " + std::to_string(type.code) + " of " + std::to_string(type.bits) +
               " bits, expected uint8, int16, uint16, int32, int64, float16, float32 or float64");
    }
    array.shape.assign(tensor->shape, tensor->shape + tensor->ndim);
    if (tensor->strides) check_layout(array.shape, {tensor->strides, tensor->strides + tensor->ndim}, 1);
    array.data = static_cast<char*>(tensor->data) + tensor->byte_offset;
    return array;
}

}  // namespace

DeviceArray import_array(nb::handle source, const StreamPtr& stream) {
    if (nb::isinstance<DeviceArray>(source)) {
        DeviceArray array = nb::cast<DeviceArray>(source);
        check_device(array.device(), stream);
        if (!stream || stream->queue() == array.stream->queue()) return array;
        order(*array.stream->queue(), *stream->queue());
        array.memory = hold(array.memory, stream, array.stream);
        array.stream = stream;
        return array;
    }
    if (nb::hasattr(source, "__dlpack_device__")) {
        const nb::object where = source.attr("__dlpack_device__")();
        const int kind = nb::cast<int>(where[0]), device = nb::cast<int>(where[1]);
        if (kind != kCuda && kind != kCudaManaged) {
            refuse("array is a " + kind_of(source) + " that does not lie on a CUDA device; upload(array) copies it");
        }
        check_device(device, stream);
        return from_dlpack(source, stream, device);
    }
    if (nb::hasattr(source, "__cuda_array_interface__")) return from_interface(source, stream);
    refuse("array is a " + kind_of(source) + ", expected a DeviceArray or an array of PyCUDA, CuPy, torch or Numba");
}
