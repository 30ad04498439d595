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

// A pixel's new level from those of the four tiles around it, in the order of OpenCV's arithmetic for the sake of the
// last bit; what `blended` of cpu/blend.inl does on sixteen lanes. `right` and `below` are the weights of tiles there.
SPINERT_BOTH int32_t blended(float above_left, float above_right, float below_left, float below_right, float right,
                             float below) {
    const float left = 1.0f - right;
    const float upper = (above_left * left + above_right * right) * (1.0f - below);
    const float lower = (below_left * left + below_right * right) * below;
    return nearest_even(upper + lower);
}

// Where a pixel lies between the centres of the tiles before and behind it: their numbers, the weight of the latter.
struct BetweenTiles {
    int32_t before, behind;
    float weight;
};

SPINERT_BOTH BetweenTiles between_tiles(int32_t place, float tiles_per_pixel, int32_t tiles) {
    const float at = static_cast<float>(place) * tiles_per_pixel - 0.5f;
    const int32_t below = at < 0.0f ? -1 : static_cast<int32_t>(at);  // at is -1/2 or more
    return {below > 0 ? below : 0, below + 1 < tiles ? below + 1 : tiles - 1, at - static_cast<float>(below)};
}

struct TileGrid {
    int rows, columns;
};
struct TileAxis {
    int tiles, size;
    float per_pixel;
};
struct TileAxes {
    TileAxis down, across;
};

// Where one axis does not divide into its tiles, both grow to their next multiples.
inline TileAxes axes_of(int rows, int columns, TileGrid grid) {
    const bool even = rows % grid.rows == 0 && columns % grid.columns == 0;
    const auto axis = [even](int length, int tiles) {
        const int size = even ? length / tiles : length / tiles + 1;
        return TileAxis{tiles, size, 1.0f / static_cast<float>(size)};
    };
    return {axis(rows, grid.rows), axis(columns, grid.columns)};
}

// Most pixels of a level in a tile, 0 for any number; `times` the average.
inline uint32_t clip_limit_of(double times, int height, int width, uint32_t levels) {
    if (!(times > 0.0)) return 0;
    const double pixels = static_cast<double>(height) * width, limit = times * pixels / levels;
    return limit < 1.0 ? 1 : static_cast<uint32_t>(limit < pixels ? limit : pixels);
}

// A place beyond the end of an axis, mirrored about the last sample, which is not repeated; 0 <= place.
SPINERT_BOTH int32_t mirrored(int32_t place, int32_t length) {
    if (length == 1) return 0;
    const int32_t turn = place % (2 * length - 2);
    return turn < length ? turn : 2 * length - 2 - turn;
}

}  // namespace spinert
