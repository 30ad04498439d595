// What a box's neighbours in a column say of it; a null pointer where there is none.
#pragma once

#include "overlap.h"

namespace spinert {

// Not more than the threshold of one of its neighbours.
SPINERT_BOTH bool overlaps_little(const float* above, const float* box, const float* below, double threshold) {
    if (above == nullptr || below == nullptr) return true;
    const BoxOf<double> own = box_of(box);
    return !(overlap_exceeds(own, box_of(above), threshold) && overlap_exceeds(own, box_of(below), threshold));
}

// Its top-left corner lies no farther from that of the box above than it is wide.
SPINERT_BOTH bool steps_little(const float* above, const float* box) {
    if (above == nullptr) return true;
    const double dx = static_cast<double>(box[0]) - above[0], dy = static_cast<double>(box[1]) - above[1];
    const double width = static_cast<double>(box[2]) - box[0];
    return width >= 0.0 && dx * dx + dy * dy <= width * width;
}

// Its centre lies within so many of its widths of that of a neighbour, in x.
SPINERT_BOTH bool stands_over(const float* box, const float* neighbour, double widths) {
    const double centre = 0.5 * (static_cast<double>(box[0]) + box[2]);
    const double other = 0.5 * (static_cast<double>(neighbour[0]) + neighbour[2]);
    return magnitude(centre - other) <= widths * (static_cast<double>(box[2]) - box[0]);
}

// A box without neighbours stays.
SPINERT_BOTH bool stands_over_neighbour(const float* above, const float* box, const float* below, double widths) {
    if (above == nullptr && below == nullptr) return true;
    return (above != nullptr && stands_over(box, above, widths)) ||
           (below != nullptr && stands_over(box, below, widths));
}

}  // namespace spinert
