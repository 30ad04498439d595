// Arrays on a device: C order, one of eight element types, memory of their own or of somebody who is kept alive.
#pragma once

#include <cuda_fp16.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "memory.h"
#include "stream.h"

namespace spinert::cuda {

struct Dtype {
    const char* name;  // as NumPy has it
    char kind;         // i, u or f
    int bytes;
};
inline constexpr Dtype kDtypes[] = {{"uint8", 'u', 1}, {"int16", 'i', 2},   {"uint16", 'u', 2},  {"int32", 'i', 4},
                             {"int64", 'i', 8}, {"float16", 'f', 2}, {"float32", 'f', 4}, {"float64", 'f', 8}};

template <class T>
constexpr const Dtype* dtype_of() {
    if constexpr (std::is_same_v<T, uint8_t>) return &kDtypes[0];
    if constexpr (std::is_same_v<T, int16_t>) return &kDtypes[1];
    if constexpr (std::is_same_v<T, uint16_t>) return &kDtypes[2];
    if constexpr (std::is_same_v<T, int32_t>) return &kDtypes[3];
    if constexpr (std::is_same_v<T, int64_t>) return &kDtypes[4];
    if constexpr (std::is_same_v<T, __half>) return &kDtypes[5];
    if constexpr (std::is_same_v<T, float>) return &kDtypes[6];
    if constexpr (std::is_same_v<T, double>) return &kDtypes[7];
}
// nullptr where there is none.
inline const Dtype* find_dtype(char kind, int bytes) {
    for (const Dtype& dtype : kDtypes) {
        if (dtype.kind == kind && dtype.bytes == bytes) return &dtype;
    }
    return nullptr;
}
inline const Dtype* find_dtype(const std::string& name) {
    for (const Dtype& dtype : kDtypes) {
        if (name == dtype.name) return &dtype;
    }
    return nullptr;
}

// Belongs to a stream: work of other streams on it is ordered with that one before and after, and its memory, where it
// is our own, is freed in that order.
struct DeviceArray {
    void* data = nullptr;
    std::vector<size_t> shape;
    const Dtype* dtype = nullptr;
    bool readonly = false;
    std::shared_ptr<Stream> stream;
    std::shared_ptr<void> memory;  // a Buffer, or what keeps foreign memory alive

    size_t size() const {
        size_t n = 1;
        for (size_t length : shape) n *= length;
        return n;
    }
    size_t bytes() const { return size() * static_cast<size_t>(dtype->bytes); }
    int device() const { return stream->device(); }
};

inline std::string shape_text(const std::vector<size_t>& shape) {
    std::string text = "[";
    for (size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
    return text + "]";
}

}  // namespace spinert::cuda
