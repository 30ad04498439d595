// What the CUDA bindings of every family share: checked views of device arrays, and the frame around a launch.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/shared_ptr.h>

#include <array>
#include <climits>

#include "../cuda/array.h"
#include "../cuda/device.h"

using spinert::cuda::DeviceArray;
using spinert::cuda::Stream;

inline void require(bool condition, const char* what) {
    if (!condition) throw nanobind::value_error(what);
}

// "maps is float64 [2, 5, 7], expected float32 of rank 3"
[[noreturn]] void refuse(const char* name, const DeviceArray& array, const char* dtype, int rank, const char* also);

template <class T, int kRank>
struct View {
    T* data;
    std::array<size_t, kRank> lengths;

    size_t shape(size_t axis) const { return lengths[axis]; }
    size_t size() const {
        size_t n = 1;
        for (size_t length : lengths) n *= length;
        return n;
    }
};

// One call of a kernel: its arrays are checked, ordered with the stream before and after, and kept by a graph that is
// being captured; the kernel is queued without the GIL and with its device current.
class Work {
  public:
    explicit Work(Stream& stream) : stream_(stream) {}

    template <class T, int kRank>
    View<const T, kRank> input(const DeviceArray& array, const char* name) {
        check<T, kRank>(array, name);
        uses_.push_back({&array, name, false});
        return {static_cast<const T*>(array.data), lengths<kRank>(array)};
    }
    template <class T, int kRank>
    View<T, kRank> output(const DeviceArray& array, const char* name) {
        check<T, kRank>(array, name);
        if (array.readonly) refuse(name, array, spinert::cuda::dtype_of<T>()->name, kRank, ", writable");
        uses_.push_back({&array, name, true});
        return {static_cast<T*>(array.data), lengths<kRank>(array)};
    }
    // An array of any element type and rank.
    void use(const DeviceArray& array, const char* name, bool written) {
        if (array.device() != stream_.device()) refuse_device(array, name);
        uses_.push_back({&array, name, written});
    }
    // queue() may only queue work on the stream. The arrays are ordered behind what it has queued also where it fails.
    template <class Queue>
    void run(const Queue& queue) {
        refuse_overlap();
        const nanobind::gil_scoped_release unlocked;
        const spinert::cuda::OnDevice here(stream_.device());
        before();
        try {
            queue();
        } catch (...) {
            after();
            throw;
        }
        after();
    }

  private:
    struct Use {
        const DeviceArray* array;
        const char* name;
        bool written;
    };

    template <class T, int kRank>
    void check(const DeviceArray& array, const char* name) {
        const spinert::cuda::Dtype* dtype = spinert::cuda::dtype_of<T>();
        if (array.dtype != dtype || array.shape.size() != kRank) refuse(name, array, dtype->name, kRank, "");
        if (array.device() != stream_.device()) refuse_device(array, name);
    }
    template <int kRank>
    static std::array<size_t, kRank> lengths(const DeviceArray& array) {
        std::array<size_t, kRank> of;
        for (size_t i = 0; i < kRank; ++i) of[i] = array.shape[i];
        return of;
    }
    [[noreturn]] void refuse_device(const DeviceArray& array, const char* name) const;
    void refuse_overlap() const;
    void before() const;
    void after() const;

    Stream& stream_;
    std::vector<Use> uses_;
};

// The stream of the first array where none is given.
inline Stream& stream_or(const std::shared_ptr<Stream>& stream, const DeviceArray& array) {
    return stream ? *stream : *array.stream;
}

void bind_cuda_streams(nanobind::module_& m);
void bind_cuda_arrays(nanobind::module_& m);
void bind_cuda_copies(nanobind::module_& m);
// One for each family.
void bind_cuda_radiograph(nanobind::module_& m);
void bind_cuda_intensity(nanobind::module_& m);
void bind_cuda_contrast(nanobind::module_& m);
void bind_cuda_resample(nanobind::module_& m);
void bind_cuda_crops(nanobind::module_& m);
void bind_cuda_heatmaps(nanobind::module_& m);
void bind_cuda_boxes(nanobind::module_& m);
void bind_cuda_clusters(nanobind::module_& m);
void bind_cuda_curves(nanobind::module_& m);
void bind_cuda_midlines(nanobind::module_& m);
void bind_cuda_components(nanobind::module_& m);
void bind_cuda_tiles(nanobind::module_& m);
void bind_cuda_votes(nanobind::module_& m);
void bind_cuda_angles(nanobind::module_& m);
