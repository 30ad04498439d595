// Histograms of images and of tiles, and a tile's table.

namespace spinert {
namespace {

static void count_levels(const uint8_t* pixels, size_t n, uint32_t* counts) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t eight;
        __builtin_memcpy(&eight, pixels + i, 8);
        for (uint32_t k = 0; k < 8; ++k) ++counts[k % kWays * 256 + (eight >> 8 * k & 255)];
    }
    for (; i < n; ++i) ++counts[pixels[i]];
}

static void look_up(const uint8_t* pixels, size_t n, const uint8_t* table, uint8_t* out) {
    size_t i = 0;
    for (; i + 8 <= n; i += 8) {
        uint64_t eight, found = 0;
        __builtin_memcpy(&eight, pixels + i, 8);
        for (int k = 0; k < 8; ++k) found |= static_cast<uint64_t>(table[eight >> 8 * k & 255]) << 8 * k;
        __builtin_memcpy(out + i, &found, 8);
    }
    for (; i < n; ++i) out[i] = table[pixels[i]];
}

static uint16_t highest_level(const uint16_t* pixels, size_t n) {
    uint16_t highest = 0;
    for (size_t i = 0; i < n; ++i) highest = pixels[i] > highest ? pixels[i] : highest;
    return highest;
}

template <uint32_t kUsed, class Pixel>
SPINERT_INLINE void count_row(const Pixel* pixels, uint32_t n, uint32_t levels, uint32_t* counts) {
    uint32_t i = 0;
    for (; i + kUsed <= n; i += kUsed) {
        for (uint32_t way = 0; way < kUsed; ++way) ++counts[way * levels + pixels[i + way]];
    }
    for (; i < n; ++i) ++counts[pixels[i]];
}

template <class Pixel>
static void equalize_tile(const Tile<Pixel>& tile, uint32_t* counts, Pixel* table) {
    constexpr int32_t kHighest = static_cast<Pixel>(-1);
    constexpr uint32_t kLevels = static_cast<uint32_t>(kHighest) + 1;
    const uint32_t levels = tile.levels, ways = ways_for(levels);
    __builtin_memset(counts, 0, ways * levels * sizeof(uint32_t));
    const int within = smaller(tile.width, larger(0, tile.columns - tile.left));
    for (int y = tile.top; y < tile.top + tile.height; ++y) {
        const Pixel* row = tile.image + static_cast<size_t>(mirrored(y, tile.rows)) * tile.columns;
        if constexpr (sizeof(Pixel) == 1) {
            count_levels(row + tile.left, static_cast<size_t>(within), counts);
        } else if (ways > 1) {
            count_row<kWays>(row + tile.left, static_cast<uint32_t>(within), levels, counts);
        } else {
            count_row<1>(row + tile.left, static_cast<uint32_t>(within), levels, counts);
        }
        for (int x = tile.left + within; x < tile.left + tile.width; ++x) ++counts[row[mirrored(x, tile.columns)]];
    }
    for (uint32_t way = 1; way < ways; ++way) {
        for (uint32_t level = 0; level < levels; ++level) counts[level] += counts[way * levels + level];
    }
    if (tile.clip_limit > 0) {
        uint32_t excess = 0;
        for (uint32_t level = 0; level < levels; ++level) {
            excess += counts[level] > tile.clip_limit ? counts[level] - tile.clip_limit : 0;
        }
        const Clip clip = clip_of(tile.clip_limit, excess, kLevels);
        for (uint32_t level = 0; level < levels; ++level) {
            counts[level] = (counts[level] < clip.limit ? counts[level] : clip.limit) + clip.share;
        }
        for (uint32_t i = 0; i < clip.singles && i * clip.step < levels; ++i) ++counts[i * clip.step];
    }
    const float scale = static_cast<float>(kHighest) / static_cast<float>(tile.height * tile.width);
    for (uint32_t level = 1; level < levels; ++level) counts[level] += counts[level - 1];
    for (uint32_t level = 0; level < levels; ++level) {
        table[level] = static_cast<Pixel>(equalized(counts[level], scale, kHighest));
    }
}

}  // namespace
}  // namespace spinert
