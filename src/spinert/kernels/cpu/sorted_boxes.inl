// Boxes of a group in the order of a float each, the first of equals first.

namespace spinert {
namespace {

// Least significant byte first, stable; a byte that all keys share takes no pass.
static const SortEntry* sort_by_key(SortEntry* entries, SortEntry* spare, uint32_t n) {
    uint32_t counts[4][256] = {};
    for (uint32_t i = 0; i < n; ++i) {
        for (int byte = 0; byte < 4; ++byte) ++counts[byte][entries[i].key >> (8 * byte) & 255];
    }
    for (int byte = 0; byte < 4 && n > 0; ++byte) {
        uint32_t* const next = counts[byte];
        if (next[entries[0].key >> (8 * byte) & 255] == n) continue;
        uint32_t before = 0;
        for (int digit = 0; digit < 256; ++digit) {
            const uint32_t count = next[digit];
            next[digit] = before;
            before += count;
        }
        for (uint32_t i = 0; i < n; ++i) spare[next[entries[i].key >> (8 * byte) & 255]++] = entries[i];
        SortEntry* const sorted = spare;
        spare = entries;
        entries = sorted;
    }
    return entries;
}

}  // namespace
}  // namespace spinert
