// The native kernels on one page. Bindings check what comes in; these functions assume it.
//
// Images are C-order [rows, columns]; maps are C-order [n, height, width]; points are (x, y), (0, 0) the centre of the
// top-left pixel or cell. No function depends on `threads` or on the instruction set for its result: every bit is the
// same. None of them throws, apart from std::bad_alloc.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace spinert {

// Raised with every change of a binding's arguments or meaning; kernels/native.py compares it, so that a stale build
// is refused with a remedy instead of failing later.
constexpr int kAbi = 2;

// A stored-value window and where the resized image lies in the output.
struct Window {
    int low, high;  // stored values that become 0 and 1; low <= high
    bool inverted;  // 1 - x for the pixels of the image, never for the padding
};
struct Placement {
    int top, left, rows, columns;
};

template <class Pixel>
struct Radiograph {
    const Pixel* pixels;
    int rows, columns;
};

// The values with 1-based ranks `rank_low` <= `rank_high` <= rows * columns among the sorted pixels.
struct Ranked {
    int low, high;
};
Ranked order_statistics(Radiograph<uint8_t> image, uint64_t rank_low, uint64_t rank_high, int threads);
Ranked order_statistics(Radiograph<uint16_t> image, uint64_t rank_low, uint64_t rank_high, int threads);

// Window, then resize onto out [height, width] at `place`; the rest of out becomes 0.
void window_resize(Radiograph<uint8_t> image, Window window, Placement place, int height, int width, float* out,
                   int threads);
void window_resize(Radiograph<uint16_t> image, Window window, Placement place, int height, int width, float* out,
                   int threads);

struct Maps {
    const float* values;
    size_t n;
    int height, width;
};

// Softmax-weighted mean position xy [n, 2] and the share of mass near the highest cell [n].
void soft_argmax(Maps maps, int radius, float* xy, float* confidence, int threads);

// Highest cell with a parabola step, xy [n, 2], and its value [n].
void peak(Maps maps, float* xy, float* value, int threads);

// corners [n, 4, 2] as TL, TR, BL, BR -> left-to-right vectors [n, 2].
void tilt_vectors(const double* corners, size_t n, double* vectors);

// vectors [n, 2] -> angle between each two of them, degrees [n, n].
void angle_matrix(const double* vectors, size_t n, double* degrees);

// Points [n, 2] in groups, group g being offsets[g] .. offsets[g + 1]; offsets [groups + 1] ascend from 0 to n. Every
// group has its own clusters 0, 1, 2 ... by their first core points; labels [n], -1 for noise. eps is 1e-150..1e150, a
// group extends over at most 2**30 eps on each axis.
struct PointGroups {
    const double* points;
    const int64_t* offsets;
    size_t groups;
};
void dbscan(PointGroups groups, double eps, int64_t min_samples, int32_t* labels, int threads);

// points [n, axes] -> labels [n] and centres [k, axes]; axes is 1 or 2, 1 <= k <= n.
struct KMeansJob {
    const double* points;
    size_t n;
    int k, max_iterations;
    double tolerance;
    double* centres;
    int32_t* labels;
};
void kmeans(KMeansJob job, int axes);

// Instruction sets, best first. `force_isa` returns false for one that is unknown or unusable on this processor.
std::vector<std::string> compiled_isas();
std::vector<std::string> usable_isas();
std::string active_isa();
bool force_isa(const std::string& name);

}  // namespace spinert
