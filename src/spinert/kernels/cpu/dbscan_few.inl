// DBSCAN of at most 64 points: all distances, and a set of points is the bits of one word. For the few points of a
// landmark this is several times as fast as the grid of dbscan.inl.

namespace spinert {
namespace {

constexpr uint32_t kFew = kDbscanFew;

struct BitOf {
    uint64_t point[kFew];
    constexpr BitOf() : point() {
        for (uint32_t i = 0; i < kFew; ++i) point[i] = uint64_t{1} << i;
    }
};
constexpr BitOf kBitOf;

// Not __builtin_popcountll: without an instruction for it that is a call.
SPINERT_INLINE int count_bits(uint64_t set) {
    set -= (set >> 1) & 0x5555555555555555u;
    set = (set & 0x3333333333333333u) + ((set >> 2) & 0x3333333333333333u);
    set = (set + (set >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return static_cast<int>((set * 0x0101010101010101u) >> 56);
}

SPINERT_INLINE uint32_t take_first(uint64_t& set) {
    const auto first = static_cast<uint32_t>(__builtin_ctzll(set));
    set &= set - 1;
    return first;
}

static void dbscan_few(const DbscanGroup& group) {
    const double* const points = group.points;
    int32_t* const labels = group.labels;
    const uint32_t n = group.n;
    // whole blocks of 8: what fills the last one is near nothing
    const uint32_t end = (n + 7) / 8 * 8;
    double x[kFew], y[kFew];
    for (uint32_t i = 0; i < end; ++i) {
        x[i] = i < n ? points[2 * i] : __builtin_huge_val();
        y[i] = i < n ? points[2 * i + 1] : __builtin_huge_val();
    }
    const double limit = group.eps * group.eps;
    uint64_t neighbours[kFew], cores = 0;
    for (uint32_t i = 0; i < n; ++i) {
        uint64_t near = 0;
        for (uint32_t j = 0; j < end; ++j) {
            const double dx = x[j] - x[i], dy = y[j] - y[i];
            near |= dx * dx + dy * dy <= limit ? kBitOf.point[j] : 0;
        }
        neighbours[i] = near;
        if (count_bits(near) >= group.min_samples) cores |= kBitOf.point[i];
    }

    for (uint32_t i = 0; i < n; ++i) labels[i] = -1;
    uint64_t unlabelled = ~uint64_t{0};
    for (int32_t cluster = 0; (cores & unlabelled) != 0; ++cluster) {
        uint64_t waiting = cores & unlabelled & -(cores & unlabelled), reached = 0;
        while (waiting != 0) {
            const uint64_t fresh = neighbours[take_first(waiting)] & ~reached;
            reached |= fresh;
            waiting |= fresh & cores;
        }
        reached &= unlabelled;  // a border point stays with the first cluster that reached it
        unlabelled &= ~reached;
        while (reached != 0) labels[take_first(reached)] = cluster;
    }
}

}  // namespace
}  // namespace spinert
