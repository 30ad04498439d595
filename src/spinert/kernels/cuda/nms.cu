// Greedy suppression: a block for each group takes its boxes from the best on, as many at a time as it has threads. A
// candidate meets the boxes that stay already; then every two of the candidates left meet, and a warp decides among
// them one after the other over a table of bits.
#include "boxes.cuh"

namespace spinert::cuda {
namespace {

constexpr int kWords = kBoxThreads / kWarp;

template <class Kind>
__global__ void __launch_bounds__(kBoxThreads)
key_by_score(const float* boxes, const float* scores, size_t n, unsigned long long* keys) {
    for_each_of_grid(n, [&](size_t i) {
        const bool takes_part = scores[i] == scores[i] && is_finite(Kind::read(boxes, i).area);
        const unsigned long long key = static_cast<unsigned long long>(~ascending_key(scores[i])) << 32;
        keys[i] = (takes_part ? key : kNoPart) | i;
    });
}

// Bit i of a set of candidates: bit i % 32 of word i / 32.
struct Candidates {
    unsigned word[kWords];
};

// Of those that are left, the candidates that stay: each, unless one before it that stays covers it. The first lanes of
// a warp hold a word of those that stay each; all lanes call this.
__device__ void decide(const Candidates& left, const Candidates* covered_by, Candidates* stay) {
    const int lane = lane_of_thread();
    unsigned mine = 0;
    for (int i = 0; i < kBoxThreads; ++i) {
        if ((left.word[i / kWarp] >> (i % kWarp) & 1u) == 0) continue;
        const bool covers = lane < kWords && (covered_by[i].word[lane] & mine) != 0;
        if (!__any_sync(kAllLanes, covers) && lane == i / kWarp) mine |= 1u << (i % kWarp);
    }
    if (lane < kWords) stay->word[lane] = mine;
}

template <class Kind>
__global__ void __launch_bounds__(kBoxThreads)
suppress_group(BoxGroups boxes, const int32_t* order, double threshold, int max_keep) {
    using Box = typename Kind::Box;
    __shared__ Box others[kBoxThreads];
    __shared__ Candidates covered_by[kBoxThreads], left, stay;
    __shared__ int scratch[kWarpsAtMost];
    const int thread = static_cast<int>(threadIdx.x);
    const Group group = group_at(boxes.groups, blockIdx.x);
    int32_t* const kept = boxes.kept + group.first;
    int count = 0;
    for (size_t begin = 0; begin < group.size && count < max_keep; begin += kBoxThreads) {
        const size_t place = begin + threadIdx.x;
        const int candidate = place < group.size ? order[group.first + place] : -1;
        bool alive = candidate >= 0;
        const Box own = Kind::read(boxes.boxes, alive ? static_cast<size_t>(candidate) : 0);
        const auto covers = [&](const Box& other) {
            return share_exceeds(Kind::shared(own, other), own.area, other.area, threshold);
        };

        for (int first = 0; first < count; first += kBoxThreads) {
            const int known = min(kBoxThreads, count - first);
            __syncthreads();
            if (thread < known) others[thread] = Kind::read(boxes.boxes, static_cast<size_t>(kept[first + thread]));
            __syncthreads();
            for (int i = 0; i < known && alive; ++i) alive = !covers(others[i]);
        }
        __syncthreads();
        others[thread] = own;
        const unsigned votes = __ballot_sync(kAllLanes, alive);
        if (lane_of_thread() == 0) left.word[warp_of_thread()] = votes;
        __syncthreads();
        for (int word = 0; word < kWords; ++word) {
            unsigned covered = 0;
            for (int bit = 0; bit < kWarp && alive; ++bit) {
                const int i = kWarp * word + bit;
                if (i < thread && (left.word[word] >> bit & 1u) != 0 && covers(others[i])) covered |= 1u << bit;
            }
            covered_by[thread].word[word] = covered;
        }
        __syncthreads();
        if (warp_of_thread() == 0) decide(left, covered_by, &stay);
        __syncthreads();
        const bool stays = (stay.word[thread / kWarp] >> (thread % kWarp) & 1u) != 0;
        const Scanned<int> scanned = scan_block(stays ? 1 : 0, scratch);
        if (stays && count + scanned.before < max_keep) kept[count + scanned.before] = candidate;
        count = min(max_keep, count + scanned.total);
        __syncthreads();
    }
    if (thread == 0) boxes.counts[blockIdx.x] = count;
}

template <class Kind>
void suppress(const char* name, const BoxGroups& boxes, const Suppression& suppression, Stream& stream) {
    const size_t n = boxes.groups.values;
    const SortedBoxes sorted = sorted_boxes(boxes, stream);
    launch(name, {n}, key_by_score<Kind>, {dim3(blocks_for(n, kBoxThreads)), dim3(kBoxThreads)}, stream, boxes.boxes,
           suppression.scores, n, sorted.keys);
    queue_order(name, boxes, sorted, stream);
    launch(name, {n, boxes.groups.count}, suppress_group<Kind>,
           {dim3(static_cast<unsigned>(boxes.groups.count)), dim3(kBoxThreads)}, stream, boxes, sorted.order,
           suppression.threshold, suppression.max_keep);
}

}  // namespace

void nms(const BoxGroups& groups, const Suppression& suppression, Stream& stream) {
    suppress<Upright>("nms", groups, suppression, stream);
}

void rotated_nms(const BoxGroups& groups, const Suppression& suppression, Stream& stream) {
    suppress<Turned>("rotated_nms", groups, suppression, stream);
}

}  // namespace spinert::cuda
