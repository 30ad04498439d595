// Grey levels that spread as evenly as their histogram allows: the steps of OpenCV's equalizeHist and CLAHE, in single
// precision like there, so that the results are the same to the last grey level.
#pragma once

#include "both.h"

namespace spinert {

// The nearest whole number, of two equally near the even one; 0 <= v < 2**22. Adding 1.5 * 2**23 leaves no bits for a
// fraction, and the number in the low ones.
SPINERT_BOTH int32_t nearest_even(float v) { return bits_of(v + 12582912.0f) - 0x4b400000; }

// Grey level of a pixel under which, itself included, `count` pixels lie.
SPINERT_BOTH int32_t equalized(uint32_t count, float scale, int32_t highest) {
    const int32_t level = nearest_even(static_cast<float>(static_cast<int32_t>(count)) * scale);
    return level < highest ? level : highest;
}

// How many pixels of a level may stay: what is above is shared out evenly, and what remains goes one by one to levels
// at even distances, from level 0.
struct Clip {
    uint32_t limit, share, step, singles;
};

SPINERT_BOTH Clip clip_of(uint32_t limit, uint32_t excess, uint32_t levels) {
    const uint32_t singles = excess % levels;
    return {limit, excess / levels, singles > 0 ? levels / singles : 1, singles};
}

SPINERT_BOTH uint32_t clipped(const Clip& clip, uint32_t level, uint32_t count) {
    const uint32_t kept = (count < clip.limit ? count : clip.limit) + clip.share;
    return kept + (level % clip.step == 0 && level / clip.step < clip.singles);
}

// Where a pixel lies between the centres of the tiles before and behind it: their numbers, the weight of the latter.
struct Between {
    int32_t before, behind;
    float weight;
};

SPINERT_BOTH Between between_tiles(int32_t place, int32_t tile_size, int32_t tiles) {
    const float at = static_cast<float>(place) * (1.0f / static_cast<float>(tile_size)) - 0.5f;
    const int32_t below = static_cast<int32_t>(at + 1.0f) - 1;  // at is -1/2 or more
    return {below > 0 ? below : 0, below + 1 < tiles ? below + 1 : tiles - 1, at - static_cast<float>(below)};
}

// A place beyond the end of an axis, mirrored about the last sample, which is not repeated; 0 <= place.
SPINERT_BOTH int32_t mirrored(int32_t place, int32_t length) {
    if (length == 1) return 0;
    const int32_t turn = place % (2 * length - 2);
    return turn < length ? turn : 2 * length - 2 - turn;
}

}  // namespace spinert
