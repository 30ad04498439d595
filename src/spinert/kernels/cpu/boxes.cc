// Boxes: scratch and threads around the kernels of the active ISA.
#include "boxes.h"

#include <memory>
#include <vector>

#include "parallel.h"

namespace spinert {
namespace {

// Not initialised: memory that no group reaches is never touched.
class BoxMemory {
public:
    BoxMemory(size_t boxes, size_t stay, size_t lanes_of_box)
        : entries_(new SortEntry[2 * boxes]),
          lanes_(new double[(stay + kLaneBlock) * lanes_of_box / sizeof(double)]),
          size_(boxes) {}
    BoxScratch scratch() const { return {entries_.get(), entries_.get() + size_, lanes_.get()}; }

private:
    std::unique_ptr<SortEntry[]> entries_;
    std::unique_ptr<double[]> lanes_;
    size_t size_;
};

// kernel(first box of the group, n, scratch, kept) -> how many; it fills the rest of `kept` itself.
template <class Kernel>
void for_each_group(BoxGroups groups, size_t max_keep, size_t lanes_of_box, int threads, const Kernel& kernel) {
    const int64_t* const last = groups.offsets + groups.groups;
    size_t largest = 0;
    for (const int64_t* group = groups.offsets; group < last; ++group) {
        largest = std::max(largest, static_cast<size_t>(group[1] - group[0]));
    }
    const size_t parts = std::min(groups.groups, static_cast<size_t>(threads));
    std::vector<BoxMemory> memory;
    memory.reserve(parts);
    for (size_t part = 0; part < parts; ++part) memory.emplace_back(largest, std::min(largest, max_keep), lanes_of_box);
    // parts of as many boxes as groups allow; a group goes to the part of its first box, one without boxes to the first
    for (size_t g = 0; g < groups.groups; ++g) groups.counts[g] = 0;
    parallel_for(static_cast<size_t>(*last), static_cast<int>(parts), [&](size_t part, size_t begin, size_t end) {
        const int64_t* group = std::lower_bound(groups.offsets, last, static_cast<int64_t>(begin));
        for (; group < last && *group < static_cast<int64_t>(end); ++group) {
            if (group[1] == group[0]) continue;
            const auto n = static_cast<uint32_t>(group[1] - group[0]);
            int32_t* const kept = groups.kept + *group;
            const uint32_t count = kernel(static_cast<size_t>(*group), n, memory[part].scratch(), kept);
            for (uint32_t i = 0; i < n; ++i) kept[i] = i < count ? kept[i] + static_cast<int32_t>(*group) : -1;
            groups.counts[group - groups.offsets] = static_cast<int32_t>(count);
        }
    });
}

void suppress(boxes::GroupKernel kernel, BoxGroups groups, size_t values, size_t lanes_of_box, Suppression suppression,
              int threads) {
    for_each_group(groups, suppression.max_keep, lanes_of_box, threads,
                   [&](size_t first, uint32_t n, const BoxScratch& scratch, int32_t* kept) {
                       Suppression own = suppression;
                       own.scores += first;
                       return kernel(groups.boxes + values * first, n, own, scratch, kept);
                   });
}

void judge(boxes::ColumnKernel kernel, BoxGroups groups, double limit, int threads) {
    for_each_group(groups, 0, 0, threads, [&](size_t first, uint32_t n, const BoxScratch& scratch, int32_t* kept) {
        return kernel(groups.boxes + 4 * first, n, limit, scratch, kept);
    });
}

void rows_of(void (*kernel)(BoxArray, BoxArray, float*), size_t values, BoxArray a, BoxArray b, float* out, int threads) {
    parallel_for(a.n, threads, [&](size_t, size_t begin, size_t end) {
        kernel({a.values + values * begin, end - begin}, b, out + b.n * begin);
    });
}

}  // namespace

void iou(BoxArray a, BoxArray b, float* out, int threads) { rows_of(boxes::active().iou, 4, a, b, out, threads); }

void rotated_iou(BoxArray a, BoxArray b, float* out, int threads) {
    rows_of(boxes::active().rotated_iou, 5, a, b, out, threads);
}

void nms(BoxGroups groups, Suppression suppression, int threads) {
    suppress(boxes::active().nms, groups, 4, kLanesOfBox, suppression, threads);
}

void rotated_nms(BoxGroups groups, Suppression suppression, int threads) {
    suppress(boxes::active().rotated_nms, groups, 5, kLanesOfRotatedBox, suppression, threads);
}

void neighbour_overlap(BoxGroups groups, double threshold, int threads) {
    judge(boxes::active().neighbour_overlap, groups, threshold, threads);
}

void neighbour_shift(BoxGroups groups, double widths, int threads) {
    judge(boxes::active().neighbour_shift, groups, widths, threads);
}

}  // namespace spinert
