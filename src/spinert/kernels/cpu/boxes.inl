// Boxes that overlap.
#include "boxes.h"

#include "../math/neighbours.h"
#include "../math/order.h"
#include "number_lanes.inl"

#include "box_lanes.inl"
#include "sorted_boxes.inl"
#include "nms.inl"
#include "neighbours.inl"

namespace spinert {
namespace {

constexpr size_t kTile = 128;  // boxes that lie apart by value; the lanes behind the last hold whatever was there

// The first `count` lanes, at most all of them.
SPINERT_INLINE void store_as_floats(Doubles values, float* to, size_t count) {
    double lanes[kLanes];
    store(values, lanes);
    if (count >= kLanes) {
        for (size_t i = 0; i < kLanes; ++i) to[i] = static_cast<float>(lanes[i]);
    } else {
        for (size_t i = 0; i < count; ++i) to[i] = static_cast<float>(lanes[i]);
    }
}

static void overlaps(BoxArray a, BoxArray b, float* out) {
    double values[BoxLanes::kValues * kTile] = {};
    const BoxLanes tile = {values, kTile};
    for (size_t begin = 0; begin < b.n; begin += kTile) {
        const size_t count = b.n - begin < kTile ? b.n - begin : kTile;
        for (size_t j = 0; j < count; ++j) tile.put(j, box_of(b.values + 4 * (begin + j)));
        for (size_t i = 0; i < a.n; ++i) {
            const BoxOf<Doubles> box = same_in_all(box_of(a.values + 4 * i));
            float* const row = out + i * b.n + begin;
            for (size_t j = 0; j < count; j += kLanes) store_as_floats(overlap(box, tile.at(j)), row + j, count - j);
        }
    }
}

static void rotated_overlaps(BoxArray a, BoxArray b, float* out) {
    double values[RotatedLanes::kValues * kTile] = {};
    const RotatedLanes tile = {values, kTile};
    for (size_t begin = 0; begin < b.n; begin += kTile) {
        const size_t count = b.n - begin < kTile ? b.n - begin : kTile;
        for (size_t j = 0; j < count; ++j) tile.put(j, rotated_box_of(b.values + 5 * (begin + j)));
        for (size_t i = 0; i < a.n; ++i) {
            const RotatedBoxOf<Doubles> box = same_in_all(rotated_box_of(a.values + 5 * i));
            float* const row = out + i * b.n + begin;
            for (size_t j = 0; j < count; j += kLanes) {
                const RotatedBoxOf<Doubles> others = tile.at(j);
                const Doubles shared = any(in_reach(box, others)) ? shared_area(box, others) : all(0.0);
                store_as_floats(share_of_union(shared, box.area, others.area), row + j, count - j);
            }
        }
    }
}

}  // namespace
}  // namespace spinert

namespace spinert::boxes {
namespace {

constexpr Kernels kTable = {overlaps,
                            rotated_overlaps,
                            suppress_group<KeptBoxes>,
                            suppress_group<KeptRotatedBoxes>,
                            keep_by_overlap,
                            keep_by_shift};

}  // namespace
}  // namespace spinert::boxes
