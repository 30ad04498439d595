// Connected components: scratch, slabs and threads around the kernels of one ISA.
#include "components.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "parallel.h"

namespace spinert {
namespace {

class RowMemory {
public:
    RowMemory(const Voxels& voxels, size_t rows) {
        const size_t words = (static_cast<size_t>(voxels.columns) + 63) / 64;
        bits_.resize(rows * (words + 2));
        starts_.resize(rows * (words + 1));
        rank_.resize(rows * words);
        if (voxels.kind == Kind::classes) values_.resize(rows * (64 * words + 2 * RowScratch::kPad));
        words_ = static_cast<int>(words);
    }
    RowScratch scratch() {
        return {words_, bits_.data(), starts_.data(), rank_.data(), values_.empty() ? nullptr : values_.data()};
    }

private:
    std::vector<uint64_t> bits_, starts_;
    std::vector<int32_t> rank_;
    std::vector<uint8_t> values_;
    int words_;
};

// Many voxels of few components are summed in parts: always the same ones, so that sums of floats do not depend on
// threads. The partial sums take at most half a MiB.
constexpr size_t kMany = size_t{1} << 20, kFew = 1024, kParts = 8;

constexpr int kNone = std::numeric_limits<int>::max();  // first voxel of a component that has none

class MomentsMemory {
public:
    MomentsMemory(size_t count, int axes)
        : count_(count),
          axes_(axes),
          whole_(count * static_cast<size_t>(2 + axes)),
          boxes_(count * static_cast<size_t>(2 * axes)),
          floats_(count) {}
    Moments moments() {
        int64_t* const voxels = whole_.data();
        return {count_, axes_, voxels, boxes_.data(), voxels + 2 * count_, voxels + count_, floats_.data()};
    }

private:
    size_t count_;
    int axes_;
    std::vector<int64_t> whole_;
    std::vector<int32_t> boxes_;
    std::vector<double> floats_;
};

void clear(const Moments& moments) {
    const size_t count = moments.count, axes = static_cast<size_t>(moments.axes);
    std::fill_n(moments.voxels, count, 0);
    std::fill_n(moments.moments, count * axes, 0);
    for (size_t i = 0; i < count; ++i) {
        std::fill_n(moments.boxes + 2 * axes * i, axes, kNone);
        std::fill_n(moments.boxes + 2 * axes * i + axes, axes, 0);
    }
    if (moments.whole) std::fill_n(moments.whole, count, 0);
    if (moments.floats) std::fill_n(moments.floats, count, 0.0);
}

void add(const Moments& part, const Moments& sum) {
    const size_t axes = static_cast<size_t>(sum.axes);
    for (size_t i = 0; i < sum.count; ++i) {
        sum.voxels[i] += part.voxels[i];
        for (size_t k = axes * i; k < axes * (i + 1); ++k) sum.moments[k] += part.moments[k];
        for (size_t low = 2 * axes * i; low < 2 * axes * i + axes; ++low) {
            sum.boxes[low] = std::min(sum.boxes[low], part.boxes[low]);
            sum.boxes[low + axes] = std::max(sum.boxes[low + axes], part.boxes[low + axes]);
        }
        if (sum.whole) sum.whole[i] += part.whole[i];
        if (sum.floats) sum.floats[i] += part.floats[i];
    }
}

// Sums become means in the same memory.
double mean(double sum, int64_t voxels) { return voxels ? sum / static_cast<double>(voxels) : std::nan(""); }

void divide(const int64_t* sums, int64_t voxels, size_t n, double* means) {
    for (size_t i = 0; i < n; ++i) {
        int64_t sum;
        std::memcpy(&sum, sums + i, sizeof sum);
        const double value = mean(static_cast<double>(sum), voxels);
        std::memcpy(means + i, &value, sizeof value);
    }
}

void finish(const Moments& moments, const Stored& stored, const Statistics& statistics) {
    const size_t axes = static_cast<size_t>(moments.axes);
    for (size_t i = 0; i < moments.count; ++i) {
        const int64_t voxels = moments.voxels[i];
        if (voxels == 0) std::fill_n(moments.boxes + 2 * axes * i, axes, 0);
        divide(moments.moments + axes * i, voxels, axes, statistics.centroids + axes * i);
        if (moments.whole) divide(moments.whole + i, voxels, 1, statistics.means + i);
        if (moments.floats) statistics.means[i] = mean(statistics.means[i], voxels);
        if (statistics.means) statistics.means[i] = stored.slope * statistics.means[i] + stored.intercept;
    }
}

}  // namespace

int label_components(const Voxels& voxels, Touching touching, int32_t* labels, int threads) {
    const components::Kernels& kernels = components::active();
    const components::Labeller& labeller =
        kernels.labellers[static_cast<int>(voxels.kind)][static_cast<int>(touching)];
    const size_t slices = static_cast<size_t>(voxels.slices), rows = static_cast<size_t>(voxels.rows);
    const size_t parts = std::max<size_t>(1, std::min(slices, static_cast<size_t>(threads)));
    std::vector<RowMemory> memory;
    for (size_t part = 0; part < parts; ++part) memory.emplace_back(voxels, rows + 3);
    std::vector<Slab> slabs(parts);
    parallel_for(slices, threads, [&](size_t part, size_t begin, size_t end) {
        const auto first = static_cast<int32_t>(begin * rows * static_cast<size_t>(voxels.columns));
        slabs[part] = {static_cast<int>(begin), static_cast<int>(end), first, first, first};
        labeller.find_runs(voxels, memory[part].scratch(), slabs[part], labels);
    });
    for (size_t part = 1; part < parts; ++part) {
        labeller.join_slabs(voxels, memory[part].scratch(), slabs[part - 1], slabs[part], labels);
    }
    int32_t count = 0;
    for (const Slab& slab : slabs) count = kernels.number_runs(slab, count, labels);
    const size_t line = static_cast<size_t>(voxels.columns) + 8;
    std::vector<int32_t> lines(parts * line);
    parallel_for(slices, threads, [&](size_t part, size_t, size_t) {
        labeller.write_labels(voxels, memory[part].scratch(), slabs[part], lines.data() + part * line, labels);
    });
    return count;
}

void component_statistics(const Labels& labels, const Stored& stored, const Statistics& statistics, int threads) {
    const bool integers = stored.signed16 || stored.unsigned16;
    // the results hold the sums until these are divided
    const Moments total = {statistics.count,
                           statistics.axes,
                           statistics.voxels,
                           statistics.boxes,
                           reinterpret_cast<int64_t*>(statistics.centroids),
                           integers ? reinterpret_cast<int64_t*>(statistics.means) : nullptr,
                           stored.floats ? statistics.means : nullptr};
    const size_t rows = static_cast<size_t>(labels.slices) * static_cast<size_t>(labels.rows);
    const bool in_parts = rows * static_cast<size_t>(labels.columns) >= kMany && statistics.count <= kFew;
    const size_t parts = in_parts ? kParts : 1;
    std::vector<MomentsMemory> memory;
    for (size_t part = 1; part < parts; ++part) memory.emplace_back(statistics.count, statistics.axes);
    parallel_for(parts, threads, [&](size_t, size_t begin, size_t end) {
        for (size_t part = begin; part < end; ++part) {
            const Moments moments = part == 0 ? total : memory[part - 1].moments();
            clear(moments);
            const size_t first = rows * part / parts, last = rows * (part + 1) / parts;
            components::active().add_rows(labels, stored, first, last, moments);
        }
    });
    for (MomentsMemory& part : memory) add(part.moments(), total);
    finish(total, stored, statistics);
}

void keep_components(const int32_t* labels, size_t n, const uint8_t* keep, size_t count, int32_t* kept, int threads) {
    std::vector<int32_t> table(count);
    int32_t label = 0;
    for (size_t i = 0; i < count; ++i) table[i] = keep[i] ? ++label : 0;
    parallel_for(n, threads, [&](size_t, size_t begin, size_t end) {
        components::active().relabel(labels + begin, end - begin, table.data(), count, kept + begin);
    });
}

}  // namespace spinert
