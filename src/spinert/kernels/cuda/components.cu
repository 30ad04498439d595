// Connected components: unions of voxels in the labels, then numbers for the roots in their order.
#include "components.h"

#include <algorithm>

#include "launch.h"
#include "moments.cuh"
#include "numbering.cuh"
#include "unions.cuh"

namespace spinert::cuda {
namespace {

constexpr int kThreads = 256;
constexpr unsigned kMostBlocks = 65535;

// A root's label becomes -1 - number, 1 being the first: no index of a voxel, and not that of background.
struct Roots {
    int32_t* labels;

    __device__ bool marked(int i) const { return labels[i] == i; }
    __device__ void number(int i, int32_t number, bool is_root) const {
        if (is_root) labels[i] = kBackground - number;
    }
};

// Indices of roots to their numbers. A root may have its number already when another voxel looks.
__global__ void write_numbers(int voxels, int32_t* labels) {
    for_each_of_grid(static_cast<unsigned>(voxels), [&](unsigned i) {
        const int32_t label = labels[i];
        const volatile int32_t* others = labels;
        const int32_t of_root = label >= 0 ? others[label] : label;
        labels[i] = of_root < 0 ? kBackground - of_root : of_root;
    });
}

template <bool kClasses>
void label_voxels(const char* name, const uint8_t* values, const Volume& volume, bool corners, int32_t* labels,
                  int32_t* count, Stream& stream) {
    const Grid3<kClasses> grid = {values, volume.slices, volume.rows, volume.columns};
    const auto voxels = static_cast<int>(volume.voxels());
    const int stretches = (volume.columns + kWarp - 1) / kWarp, all = voxels ? voxels / volume.columns * stretches : 0;
    const auto shape = {Extent(volume.slices), Extent(volume.rows), Extent(volume.columns)};
    const Grid each_voxel = {dim3(blocks_for(volume.voxels(), kThreads, kMostBlocks)), dim3(kThreads)};
    const Grid each_stretch = {dim3(blocks_for(static_cast<size_t>(all), kThreads / kWarp, kMostBlocks)),
                               dim3(kThreads)};
    launch(name, shape, start_labels<kClasses>, each_stretch, stream, grid, stretches, all, labels);
    launch(name, shape, corners ? connect_runs<kClasses, true> : connect_runs<kClasses, false>, each_voxel, stream,
           grid, voxels, labels);
    launch(name, shape, flatten_labels, each_voxel, stream, voxels, labels);
    auto* const counts = static_cast<int32_t*>(stream.scratch(numbering_bytes(voxels)));
    number_all(name, Roots{labels}, voxels, counts, count, stream);
    launch(name, shape, write_numbers, each_voxel, stream, voxels, labels);
}

// Blocks that sum values up: several for a component where there are few, the same number on every device.
constexpr int kBlocks = 4096, kMostParts = 256;

template <class Value, class Sum>
void finish_with_means(const int32_t* labels, const Value* values, const Volume& volume, const Stored& stored,
                       const Moments& moments, const Statistics& statistics, const Grid& each, Stream& stream) {
    const int parts = std::clamp(kBlocks / std::max(statistics.count, 1), 1, kMostParts);
    const size_t partials = static_cast<size_t>(statistics.count) * static_cast<size_t>(parts);
    auto* const partial = static_cast<Sum*>(stream.scratch(partials * sizeof(Sum)));
    const Grid boxes = {dim3(static_cast<unsigned>(statistics.count), static_cast<unsigned>(parts)),
                        dim3(kMomentThreads)};
    const auto shape = {Extent(volume.slices), Extent(volume.rows), Extent(volume.columns)};
    launch("component_statistics", shape, sum_values<Value, Sum>, boxes, stream, labels, values, volume, moments,
           partial);
    launch("component_statistics", shape, finish_moments<Sum>, each, stream, moments,
           static_cast<const Sum*>(partial), parts, stored.slope, stored.intercept, statistics.centroids,
           statistics.means);
}

// A label's new one: its number among those that are kept, or 0.
struct Kept {
    const uint8_t* keep;
    int32_t* table;

    __device__ bool marked(int i) const { return keep[i] != 0; }
    __device__ void number(int i, int32_t number, bool is_kept) const { table[i] = is_kept ? number : 0; }
};

__global__ void relabel(const int32_t* labels, size_t n, const int32_t* table, int count, int32_t* kept) {
    for_each_of_grid(n, [&](size_t i) {
        const unsigned label = static_cast<unsigned>(__ldg(labels + i)) - 1u;  // background lies far above count
        kept[i] = label < static_cast<unsigned>(count) ? __ldg(table + label) : 0;
    });
}

}  // namespace

void label_components(const uint8_t* mask, const Volume& volume, bool corners, int32_t* labels, int32_t* count,
                      Stream& stream) {
    label_voxels<false>("label_components", mask, volume, corners, labels, count, stream);
}

void label_classes(const uint8_t* classes, const Volume& volume, bool corners, int32_t* labels, int32_t* count,
                   Stream& stream) {
    label_voxels<true>("label_classes", classes, volume, corners, labels, count, stream);
}

void component_statistics(const int32_t* labels, const Volume& volume, const Stored& stored,
                          const Statistics& statistics, Stream& stream) {
    const Moments moments = {statistics.count, statistics.axes,
                             reinterpret_cast<unsigned long long*>(statistics.voxels), statistics.boxes,
                             reinterpret_cast<unsigned long long*>(statistics.centroids)};
    const auto shape = {Extent(volume.slices), Extent(volume.rows), Extent(volume.columns)};
    const Grid each = {dim3(blocks_for(static_cast<size_t>(statistics.count), kThreads, kMostBlocks)), dim3(kThreads)};
    launch("component_statistics", shape, clear_moments, each, stream, moments);
    const int across = (volume.columns + kWarp - 1) / kWarp, down = (volume.rows + kTile - 1) / kTile;
    const size_t tiles = static_cast<size_t>(across) * static_cast<size_t>(down) * static_cast<size_t>(volume.slices);
    launch("component_statistics", shape, add_moments,
           {dim3(blocks_for(tiles, kMomentThreads / kWarp, kMostBlocks)), dim3(kMomentThreads)}, stream, labels, volume,
           across, down, static_cast<int>(tiles), moments);
    const auto with_means = [&](const auto* values, auto zero) {
        finish_with_means<std::decay_t<decltype(*values)>, decltype(zero)>(labels, values, volume, stored, moments,
                                                                         statistics, each, stream);
    };
    if (stored.signed16) return with_means(stored.signed16, 0ll);
    if (stored.unsigned16) return with_means(stored.unsigned16, 0ll);
    if (stored.floats) return with_means(stored.floats, 0.0);
    launch("component_statistics", shape, finish_moments<double>, each, stream, moments,
           static_cast<const double*>(nullptr), 0, 0.0, 0.0, statistics.centroids, static_cast<double*>(nullptr));
}

void keep_components(const int32_t* labels, size_t n, const uint8_t* keep, int count, int32_t* kept, Stream& stream) {
    const size_t table_bytes = (static_cast<size_t>(count) + 1) * sizeof(int32_t);
    auto* const table = static_cast<int32_t*>(stream.scratch(table_bytes + numbering_bytes(count)));
    number_all("keep_components", Kept{keep, table}, count, table + count + 1, table + count, stream);
    launch("keep_components", {n}, relabel, {dim3(blocks_for(n, kThreads, kMostBlocks)), dim3(kThreads)}, stream,
           labels, n, static_cast<const int32_t*>(table), count, kept);
}

}  // namespace spinert::cuda
