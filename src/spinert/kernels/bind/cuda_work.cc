#include "cuda_arrays.h"

namespace nb = nanobind;
using namespace spinert::cuda;

void refuse(const char* name, const DeviceArray& array, const char* dtype, int rank, const char* also) {
    const std::string text = std::string(name) + " is " + array.dtype->name + " " + shape_text(array.shape) +
                             (array.readonly ? ", read-only" : "") + ", expected " + dtype + " of rank " +
                             std::to_string(rank) + also;
    throw nb::type_error(text.c_str());
}

void Work::refuse_device(const DeviceArray& array, const char* name) const {
    const std::string text = std::string(name) + " is on device " + std::to_string(array.device()) +
                             ", expected device " + std::to_string(stream_.device()) + " of the stream";
    throw nb::type_error(text.c_str());
}

void Work::refuse_overlap() const {
    for (const Use& out : uses_) {
        if (!out.written) continue;
        for (const Use& other : uses_) {
            if (&other == &out) continue;
            const auto* a = static_cast<const char*>(out.array->data);
            const auto* b = static_cast<const char*>(other.array->data);
            if (a < b + other.array->bytes() && b < a + out.array->bytes()) {
                throw nb::value_error((std::string(out.name) + " overlaps " + other.name).c_str());
            }
        }
    }
}

void Work::before() const {
    Queue& queue = *stream_.queue();
    for (const Use& use : uses_) {
        order(*use.array->stream->queue(), queue);
        if (queue.kept) queue.kept->push_back(use.array->memory);
    }
}

void Work::after() const {
    for (const Use& use : uses_) order(*stream_.queue(), *use.array->stream->queue());
}
