// One output for every input, a line of outputs at a time.

namespace spinert {
namespace {

// `map.block(in)` makes Lanes of kBlock outputs, also from zeros behind the last input; kStreamed stores go past the
// caches and want `out` aligned to itself.
template <bool kStreamed, class In, class Out, class Map>
SPINERT_INLINE void map_blocks(const In* in, size_t n, Out* out, Map& map) {
    constexpr size_t kBlock = 64 / sizeof(Out);
    const auto part = [&](size_t begin, size_t count) {
        In source[kBlock] = {};
        Out result[kBlock];
        __builtin_memcpy(source, in + begin, count * sizeof(In));
        store(map.block(source), result);
        __builtin_memcpy(out + begin, result, count * sizeof(Out));
    };
    size_t i = kStreamed ? before_line(out, n) : 0;
    if (i > 0) part(0, i);
    for (; i + kBlock <= n; i += kBlock) {
        if constexpr (kStreamed) {
            stream(map.block(in + i), out + i);
        } else {
            store(map.block(in + i), out + i);
        }
    }
    if (i < n) part(i, n - i);
    if constexpr (kStreamed) end_streaming();
}

}  // namespace
}  // namespace spinert
