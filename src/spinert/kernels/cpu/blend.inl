// Each pixel's new level from the tables of the four tiles around it.

namespace spinert {
namespace {

// The tables of four tiles as one of 32 bits: one look-up finds all four levels. [tiles + 1, 256]
static void join_cells(const Blend<uint8_t>& blend, uint32_t* cells) {
    for (int cell = 0; cell <= blend.tiles; ++cell, cells += 256) {
        const size_t before = static_cast<size_t>(blend.cells[cell].before) * 256;
        const size_t behind = static_cast<size_t>(blend.cells[cell].behind) * 256;
        for (size_t level = 0; level < 256; ++level) {
            cells[level] = static_cast<uint32_t>(blend.above[before + level]) |
                           static_cast<uint32_t>(blend.above[behind + level]) << 8 |
                           static_cast<uint32_t>(blend.below[before + level]) << 16 |
                           static_cast<uint32_t>(blend.below[behind + level]) << 24;
        }
    }
}

// Look-ups first, arithmetic later: what was stored has long arrived when it is loaded.
constexpr int kChunk = 128;

// 16 pixels' levels in the tables of the tiles above, left and right, and below.
struct FourLevels {
    Floats above_left, above_right, below_left, below_right;
};

struct CellsU8 {
    static constexpr int kWords = 1;
    const uint32_t* table;

    CellsU8(const Blend<uint8_t>&, int cell, const uint32_t* cells) : table(cells + static_cast<size_t>(cell) * 256) {}

    __attribute__((always_inline)) void fetch(uint8_t pixel, int32_t* words) const {
        words[0] = static_cast<int32_t>(table[pixel]);
    }
    __attribute__((always_inline)) static FourLevels levels(const int32_t* words) {
        const Ints v = load(words), byte = all(255);
        return {values_as<float>(v & byte), values_as<float>((v >> all(8)) & byte),
                values_as<float>((v >> all(16)) & byte), values_as<float>((v >> all(24)) & byte)};
    }
};

struct CellsU16 {
    static constexpr int kWords = 2;
    const uint16_t *above_left, *above_right, *below_left, *below_right;

    CellsU16(const Blend<uint16_t>& blend, int cell, const uint32_t*) {
        const size_t before = static_cast<size_t>(blend.cells[cell].before) * blend.levels;
        const size_t behind = static_cast<size_t>(blend.cells[cell].behind) * blend.levels;
        above_left = blend.above + before;
        above_right = blend.above + behind;
        below_left = blend.below + before;
        below_right = blend.below + behind;
    }

    __attribute__((always_inline)) void fetch(uint16_t pixel, int32_t* words) const {
        words[0] = static_cast<int32_t>(above_left[pixel] | static_cast<uint32_t>(above_right[pixel]) << 16);
        words[kChunk] = static_cast<int32_t>(below_left[pixel] | static_cast<uint32_t>(below_right[pixel]) << 16);
    }
    __attribute__((always_inline)) static FourLevels levels(const int32_t* words) {
        const Ints above = load(words), below = load(words + kChunk), half = all(0xffff);
        return {values_as<float>(above & half), values_as<float>((above >> all(16)) & half),
                values_as<float>(below & half), values_as<float>((below >> all(16)) & half)};
    }
};

template <class Pixel>
struct CellsOf;
template <>
struct CellsOf<uint8_t> {
    using Type = CellsU8;
};
template <>
struct CellsOf<uint16_t> {
    using Type = CellsU16;
};

// As `blended` of math/equalize.h.
SPINERT_INLINE Ints blended(const FourLevels& v, Floats right, Floats below) {
    const Floats one = all(1.0f), left = one - right;
    const Floats upper = (v.above_left * left + v.above_right * right) * (one - below);
    const Floats lower = (v.below_left * left + v.below_right * right) * below;
    return bits_as<int32_t>(upper + lower + all(12582912.0f)) - all(0x4b400000);
}

template <class Pixel>
static void blend_row(const Blend<Pixel>& blend, const uint32_t* cells, Pixel* out) {
    using Cells = typename CellsOf<Pixel>::Type;
    const Floats below = all(blend.weight);
    int32_t words[Cells::kWords * kChunk] = {};
    int32_t levels[kChunk];
    for (int cell = 0; cell <= blend.tiles; ++cell) {
        const Cells table(blend, cell, cells);
        for (int begin = blend.starts[cell], end = blend.starts[cell + 1]; begin < end; begin += kChunk) {
            const int count = smaller(kChunk, end - begin);
            for (int i = 0; i < count; ++i) table.fetch(blend.pixels[begin + i], words + i);
            for (int i = 0; i < count; i += 16) {
                const Floats right = load(blend.weights + begin + i);
                store(blended(Cells::levels(words + i), right, below), levels + i);
            }
            for (int i = 0; i < count; ++i) out[begin + i] = static_cast<Pixel>(levels[i]);
        }
    }
}

}  // namespace
}  // namespace spinert
