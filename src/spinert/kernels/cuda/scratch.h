// A stream's scratch of one call, cut into arrays.
#pragma once

#include <cstddef>
#include <initializer_list>

#include "stream.h"

namespace spinert::cuda {

// Room for arrays of these many bytes, each aligned to 16: `next` hands them out in the order they were asked for.
class Scratch {
  public:
    Scratch(Stream& stream, std::initializer_list<size_t> bytes) {
        size_t total = 0;
        for (size_t each : bytes) total += padded(each);
        at_ = static_cast<char*>(stream.scratch(total));
    }
    template <class T>
    T* next(size_t count) {
        char* const here = at_;
        at_ += padded(count * sizeof(T));
        return reinterpret_cast<T*>(here);
    }

  private:
    static size_t padded(size_t bytes) { return (bytes + 15) / 16 * 16; }
    char* at_;
};

}  // namespace spinert::cuda
