// Between the host and a device, and page-locked host memory.
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/shared_ptr.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "../cuda/error.h"
#include "cuda_arrays.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace spinert::cuda;

namespace {

using FromHost = nb::ndarray<nb::ro, nb::c_contig, nb::device::cpu>;
using ToHost = nb::ndarray<nb::c_contig, nb::device::cpu>;

template <class Host>
void check_alike(const Host& host, const DeviceArray& array) {
    const char kinds[] = {'i', 'u', 'f'};
    const nb::dlpack::dtype type = host.dtype();
    const Dtype* dtype = type.code < 3 ? find_dtype(kinds[type.code], type.bits / 8) : nullptr;
    bool alike = dtype == array.dtype && host.ndim() == array.shape.size();
    std::vector<size_t> shape;
    for (size_t i = 0; i < host.ndim(); ++i) shape.push_back(host.shape(i));
    if (alike && shape == array.shape) return;
    const std::string text = std::string("host array is ") + (dtype ? dtype->name : "of another type") + " " +
                             shape_text(shape) + ", the device array " + array.dtype->name + " " +
                             shape_text(array.shape) + ", expected the same dtype and shape";
    throw nb::type_error(text.c_str());
}

void copy(Stream& stream, const DeviceArray& array, void* host, bool upload) {
    const size_t bytes = array.bytes();
    Work work(stream);
    work.use(array, "array", upload);
    if (bytes == 0) return;
    const std::shared_ptr<Pinned> pinned = Pinned::find(host, bytes);
    work.run([&] {
        Queue& queue = *stream.queue();
        const bool captured = queue.capturing();
        if (captured && !pinned) {
            throw Error("copying between a device and ordinary host memory while the stream is being captured",
                        "copy from and to an array of pinned()");
        }
        check(upload ? cudaMemcpyAsync(array.data, host, bytes, cudaMemcpyHostToDevice, queue.stream)
                     : cudaMemcpyAsync(host, array.data, bytes, cudaMemcpyDeviceToHost, queue.stream),
              upload ? "copying to a device" : "copying from a device");
        if (!pinned) return;
        if (!captured) pinned->used_by(queue);
        if (queue.kept) queue.kept->push_back(pinned);
    });
}

void upload(const FromHost& host, const DeviceArray& out, const std::shared_ptr<Stream>& stream) {
    check_alike(host, out);
    if (out.readonly) throw nb::type_error("the device array is read-only, expected a writable one");
    copy(stream_or(stream, out), out, const_cast<void*>(host.data()), true);
}

void download(const DeviceArray& array, const ToHost& out, const std::shared_ptr<Stream>& stream) {
    check_alike(out, array);
    copy(stream_or(stream, array), array, out.data(), false);
}

void copy_on_device(const DeviceArray& source, const DeviceArray& out, const std::shared_ptr<Stream>& stream) {
    if (source.dtype != out.dtype || source.shape != out.shape) {
        const std::string text = std::string("source is ") + source.dtype->name + " " + shape_text(source.shape) +
                                 ", out is " + out.dtype->name + " " + shape_text(out.shape) +
                                 ", expected the same dtype and shape";
        throw nb::type_error(text.c_str());
    }
    if (out.readonly) throw nb::type_error("out is read-only, expected a writable array");
    Stream& on = stream_or(stream, out);
    Work work(on);
    work.use(source, "source", false);
    work.use(out, "out", true);
    if (out.bytes() == 0) return;
    work.run([&] {
        check(cudaMemcpyAsync(out.data, source.data, out.bytes(), cudaMemcpyDeviceToDevice, on.get()),
              "copying on a device");
    });
}

nb::ndarray<nb::numpy> pinned(const std::vector<size_t>& shape, nb::handle dtype) {
    const std::string name = nb::cast<std::string>(nb::module_::import_("numpy").attr("dtype")(dtype).attr("name"));
    const Dtype* of = find_dtype(name);
    if (!of) throw nb::type_error(("dtype is " + name + ", which device arrays do not have").c_str());
    size_t bytes = static_cast<size_t>(of->bytes);
    for (size_t length : shape) {
        if (__builtin_mul_overflow(bytes, length, &bytes)) throw nb::value_error("shape is too large");
    }
    auto* held = new std::shared_ptr<Pinned>(Pinned::create(bytes));
    const nb::capsule owner(held, [](void* of_it) noexcept { delete static_cast<std::shared_ptr<Pinned>*>(of_it); });
    const uint8_t code = of->kind == 'i' ? 0 : of->kind == 'u' ? 1 : 2;
    const nb::dlpack::dtype type = {code, static_cast<uint8_t>(8 * of->bytes), 1};
    return nb::ndarray<nb::numpy>((*held)->data(), shape.size(), shape.data(), owner, nullptr, type);
}

}  // namespace

void bind_cuda_copies(nb::module_& m) {
    m.def("upload", &upload, "host"_a.noconvert(), "out"_a, "stream"_a = nb::none(), nb::sig(
              "def upload(host: numpy.typing.NDArray[typing.Any], out: DeviceArray, stream: Stream | None = None) -> None"),
          "Copy to the device, queued on a stream or the array's. From a pinned array it returns at once: leave that as "
          "it is until the copy is done. From another one it returns when that may be changed.");
    m.def("download", &download, "array"_a, "out"_a.noconvert(), "stream"_a = nb::none(), nb::sig(
              "def download(array: DeviceArray, out: numpy.typing.NDArray[typing.Any], stream: Stream | None = None) -> None"),
          "Copy from the device. To a pinned array it returns at once: synchronize before reading that. To another one it "
          "returns when the copy is done.");
    m.def("copy", &copy_on_device, "source"_a, "out"_a, "stream"_a = nb::none(),
          "Copy from one device array to another, queued on a stream or that of the second.");
    m.def("pinned", &pinned, "shape"_a, "dtype"_a, nb::sig(
              "def pinned(shape: collections.abc.Sequence[int], dtype: numpy.typing.DTypeLike) -> numpy.typing.NDArray[typing.Any]"),
          "A NumPy array in page-locked memory, not initialised; freeing it waits for copies from and to it.");
}
