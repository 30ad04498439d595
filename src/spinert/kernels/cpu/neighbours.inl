// Rules for a column of boxes: each is judged by the next above and below it, whatever becomes of those.

namespace spinert {
namespace {

// Entries of the boxes from top to bottom, by y0 + y1; a box with a value that is not finite is left out.
static const SortEntry* sort_downwards(const float* boxes, uint32_t n, const BoxScratch& scratch, uint32_t& count) {
    count = 0;
    for (uint32_t i = 0; i < n; ++i) {
        const float* const box = boxes + 4 * static_cast<size_t>(i);
        if (is_finite(box_of(box).area)) scratch.entries[count++] = {ascending_key(box[1] + box[3]), i};
    }
    return sort_by_key(scratch.entries, scratch.spare, count);
}

template <class Rule>
SPINERT_INLINE uint32_t keep_by(const Rule& stays, const float* boxes, uint32_t n, double limit,
                                const BoxScratch& scratch, int32_t* kept) {
    uint32_t column = 0, count = 0;
    const SortEntry* const sorted = sort_downwards(boxes, n, scratch, column);
    const auto box = [&](uint32_t i) { return boxes + 4 * static_cast<size_t>(sorted[i].box); };
    for (uint32_t i = 0; i < column; ++i) {
        const float* const above = i > 0 ? box(i - 1) : nullptr;
        const float* const below = i + 1 < column ? box(i + 1) : nullptr;
        if (stays(above, box(i), below, limit)) kept[count++] = static_cast<int32_t>(sorted[i].box);
    }
    return count;
}

static uint32_t keep_by_overlap(const float* boxes, uint32_t n, double limit, const BoxScratch& scratch,
                                int32_t* kept) {
    const auto rule = [](const float* above, const float* box, const float* below, double threshold) {
        return overlaps_little(above, box, below, threshold) && steps_little(above, box);
    };
    return keep_by(rule, boxes, n, limit, scratch, kept);
}

static uint32_t keep_by_shift(const float* boxes, uint32_t n, double limit, const BoxScratch& scratch, int32_t* kept) {
    const auto rule = [](const float* above, const float* box, const float* below, double widths) {
        return stands_over_neighbour(above, box, below, widths);
    };
    return keep_by(rule, boxes, n, limit, scratch, kept);
}

}  // namespace
}  // namespace spinert
