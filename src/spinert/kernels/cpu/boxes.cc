// Boxes: scratch and threads around the kernels of the active ISA.
#include "boxes.h"

#include <memory>
#include <vector>

#include "parallel.h"

namespace spinert {
namespace {

// Not initialised: memory that no group reaches is never touched. 16 bytes of a box to sort, and 24 (64 of a turned one)
// of each that may stay: a mebibyte of 25,000 boxes.
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

// Which of the parts takes a group: that of its first box, when the boxes are cut into equal parts.
size_t part_of(const Groups& groups, size_t g, size_t parts) {
    if (groups.values == 0) return 0;
    return std::min(first_of(groups, g), groups.values - 1) * parts / groups.values;
}

// kernel(first box of the group, n, scratch, kept) -> how many.
template <class Kernel>
void for_each_group(BoxGroups boxes, size_t max_keep, size_t lanes_of_box, int threads, const Kernel& kernel) {
    const Groups& groups = boxes.groups;
    size_t largest = 0;
    for (size_t g = 0; g < groups.count; ++g) largest = std::max(largest, size_of(groups, g));
    const size_t parts = std::min(groups.count, static_cast<size_t>(threads));
    std::vector<BoxMemory> memory;
    memory.reserve(parts);
    for (size_t part = 0; part < parts; ++part) memory.emplace_back(largest, std::min(largest, max_keep), lanes_of_box);
    // nearly as many boxes for each part as groups allow
    parallel_for(parts, threads, [&](size_t, size_t begin, size_t end) {
        for (size_t part = begin; part < end; ++part) {
            for (size_t g = 0; g < groups.count; ++g) {
                const size_t first = first_of(groups, g), n = size_of(groups, g);
                if (part_of(groups, g, parts) != part) continue;
                int32_t* const kept = boxes.kept + first;
                const uint32_t count = kernel(first, static_cast<uint32_t>(n), memory[part].scratch(), kept);
                for (uint32_t i = 0; i < n; ++i) kept[i] = i < count ? kept[i] + static_cast<int32_t>(first) : -1;
                boxes.counts[g] = static_cast<int32_t>(count);
            }
        }
    });
}

void suppress(boxes::GroupKernel kernel, BoxGroups boxes, size_t values, size_t lanes_of_box, Suppression suppression,
              int threads) {
    for_each_group(boxes, suppression.max_keep, lanes_of_box, threads,
                   [&](size_t first, uint32_t n, const BoxScratch& scratch, int32_t* kept) {
                       Suppression own = suppression;
                       own.scores += first;
                       return kernel(boxes.boxes + values * first, n, own, scratch, kept);
                   });
}

void judge(boxes::ColumnKernel kernel, BoxGroups boxes, double limit, int threads) {
    for_each_group(boxes, 0, 0, threads, [&](size_t first, uint32_t n, const BoxScratch& scratch, int32_t* kept) {
        return kernel(boxes.boxes + 4 * first, n, limit, scratch, kept);
    });
}

void rows_of(void (*kernel)(BoxArray, BoxArray, float*), size_t values, BoxArray a, BoxArray b, float* out,
             int threads) {
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
