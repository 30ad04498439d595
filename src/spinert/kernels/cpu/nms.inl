// Greedy suppression. A candidate meets the boxes that stay, in lanes and from the best on, and leaves at the first
// that covers it: most never meet more than a few.

namespace spinert {
namespace {

// Eight floats as doubles.
SPINERT_INLINE Doubles widened(const float* from) {
    double lanes[kLanes];
    for (int i = 0; i < kLanes; ++i) lanes[i] = from[i];
    return load(lanes);
}

// Boxes that stay, by value, and behind them boxes that nothing overlaps up to whole blocks.
class KeptBoxes {
public:
    static constexpr int kValues = 4;

    KeptBoxes(void* lanes, uint32_t capacity) {
        const size_t stride = (capacity + kLaneBlock - 1) / kLaneBlock * kLaneBlock;
        area_ = static_cast<double*>(lanes);
        left_ = reinterpret_cast<float*>(area_ + stride);
        top_ = left_ + stride;
        right_ = top_ + stride;
        bottom_ = right_ + stride;
    }

    static bool takes(const float* box) { return is_finite(box_of(box).area); }

    bool cover(const float* box, uint32_t count, double threshold) const {
        const Floats left = all(box[0]), top = all(box[1]), right = all(box[2]), bottom = all(box[3]);
        const BoxOf<Doubles> candidate = same_in_all(box_of(box));
        for (uint32_t begin = 0; begin < count; begin += kLaneBlock) {
            // how far apart they lie on either axis: below 0 they overlap, and no rounding changes a sign
            Floats gaps[kLaneBlock / 16];
            Floats least = all(kInfinity);
            for (uint32_t block = 0; block < kLaneBlock / 16; ++block) {
                const uint32_t i = begin + 16 * block;
                const Floats across = greater(load(left_ + i) - right, left - load(right_ + i));
                const Floats down = greater(load(top_ + i) - bottom, top - load(bottom_ + i));
                gaps[block] = greater(across, down);
                least = lesser(least, gaps[block]);
            }
            if (!any(least < all(0.0f))) continue;
            for (uint32_t block = 0; block < kLaneBlock / 16; ++block) {
                if (!any(gaps[block] < all(0.0f))) continue;
                for (uint32_t i = begin + 16 * block; i < begin + 16 * (block + 1); i += kLanes) {
                    if (any(overlap_exceeds(candidate, at(i), all(threshold)))) return true;
                }
            }
        }
        return false;
    }

    void add(const float* box, uint32_t count) {
        if (count % kLaneBlock == 0) {
            for (uint32_t i = count; i < count + kLaneBlock; ++i) {
                left_[i] = top_[i] = kInfinity;
                right_[i] = bottom_[i] = -kInfinity;
                area_[i] = 0.0;
            }
        }
        left_[count] = box[0];
        top_[count] = box[1];
        right_[count] = box[2];
        bottom_[count] = box[3];
        area_[count] = box_of(box).area;
    }

private:
    BoxOf<Doubles> at(uint32_t i) const {
        return {widened(left_ + i), widened(top_ + i), widened(right_ + i), widened(bottom_ + i), load(area_ + i)};
    }

    double* area_;
    float *left_, *top_, *right_, *bottom_;
};

// Rotated boxes that stay, by value.
class KeptRotatedBoxes {
public:
    static constexpr int kValues = 5;

    KeptRotatedBoxes(void* lanes, uint32_t capacity)
        : lanes_{static_cast<double*>(lanes), (capacity + kLaneBlock - 1) / kLaneBlock * kLaneBlock} {}

    static bool takes(const float* box) { return is_finite(rotated_box_of(box).area); }

    bool cover(const float* box, uint32_t count, double threshold) const {
        const RotatedBoxOf<Doubles> candidate = same_in_all(rotated_box_of(box));
        for (uint32_t i = 0; i < count; i += kLanes) {
            const RotatedBoxOf<Doubles> kept = lanes_.at(i);
            if (any(in_reach(candidate, kept)) && any(overlap_exceeds(candidate, kept, all(threshold)))) return true;
        }
        return false;
    }

    void add(const float* box, uint32_t count) {
        if (count % kLaneBlock == 0) {
            for (uint32_t i = count; i < count + kLaneBlock; ++i) lanes_.put(i, kNothing);
        }
        lanes_.put(count, rotated_box_of(box));
    }

private:
    RotatedLanes lanes_;
};

template <class Kept>
static uint32_t suppress_group(const float* boxes, uint32_t n, Suppression suppression, const BoxScratch& scratch,
                               int32_t* kept) {
    uint32_t candidates = 0;
    for (uint32_t i = 0; i < n; ++i) {
        const float score = suppression.scores[i];
        if (score != score || !Kept::takes(boxes + Kept::kValues * static_cast<size_t>(i))) continue;
        scratch.entries[candidates++] = {~ascending_key(score), i};
    }
    const SortEntry* const sorted = sort_by_key(scratch.entries, scratch.spare, candidates);
    Kept stay(scratch.lanes, suppression.max_keep < n ? suppression.max_keep : n);
    uint32_t count = 0;
    for (uint32_t i = 0; i < candidates && count < suppression.max_keep; ++i) {
        const float* const box = boxes + Kept::kValues * static_cast<size_t>(sorted[i].box);
        if (stay.cover(box, count, suppression.threshold)) continue;
        stay.add(box, count);
        kept[count++] = static_cast<int32_t>(sorted[i].box);
    }
    return count;
}

}  // namespace
}  // namespace spinert
