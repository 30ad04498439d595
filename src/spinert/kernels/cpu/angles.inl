// Vectors along vertebrae, the angles between them, and Cobb angles of whole spines, in double.
#include "angles.h"

#include "../math/challenge.h"
#include "../math/end_vertebrae.h"
#include "number_lanes.inl"

namespace spinert {
namespace {

static_assert(kMostVertebrae == kMostVertebraeOfSpine);
constexpr int kLanes = Doubles::kCount;
constexpr int kTile = 64;  // vectors that lie apart by axis, and 0 behind the last

static void corner_tilts(const double* corners, size_t n, double* vectors) {
    for (size_t i = 0; i < n; ++i) {
        vectors[2 * i] = tilt(corners + 8 * i, 0);
        vectors[2 * i + 1] = tilt(corners + 8 * i, 1);
    }
}

// Angles between one vector and `count` others; writes whole lanes.
SPINERT_INLINE void degrees_to(double ax, double ay, const double* x, const double* y, int count, double* degrees) {
    for (int j = 0; j < count; j += kLanes) {
        store(degrees_between(all(ax), all(ay), load(x + j), load(y + j)), degrees + j);
    }
}

static void angles_between(const double* vectors, size_t n, size_t m, double* degrees) {
    double x[kTile], y[kTile], row[kTile];
    for (size_t spine = 0; spine < n; ++spine, vectors += 2 * m, degrees += m * m) {
        for (size_t begin = 0; begin < m; begin += kTile) {
            const int count = m - begin < kTile ? static_cast<int>(m - begin) : kTile;
            for (int j = 0; j < kTile; ++j) {
                x[j] = j < count ? vectors[2 * (begin + j)] : 0.0;
                y[j] = j < count ? vectors[2 * (begin + j) + 1] : 0.0;
            }
            for (size_t i = 0; i < m; ++i) {
                degrees_to(vectors[2 * i], vectors[2 * i + 1], x, y, count, row);
                __builtin_memcpy(degrees + i * m + begin, row, static_cast<size_t>(count) * sizeof(double));
            }
        }
    }
}

static void challenge_angles_of_spines(const double* corners, const double* heights, size_t n, double* degrees,
                                       int32_t* ends) {
    ChallengeCosines cosines;
    Tilt tilts[kChallengeVertebrae];
    for (size_t spine = 0; spine < n; ++spine, corners += 8 * kChallengeVertebrae) {
        for (int i = 0; i < kChallengeVertebrae; ++i) {
            tilts[i] = tilt_of(corners + 8 * i);
            for (int j = 0; j <= i; ++j) cosines.steps[i][j] = cosines.steps[j][i] = cosine_steps(tilts[i], tilts[j]);
        }
        const ChallengeAngles found = challenge_angles_of(corners, cosines, heights[spine]);
        for (int i = 0; i < 3; ++i) degrees[3 * spine + i] = found.degrees[i];
        ends[2 * spine] = found.upper;
        ends[2 * spine + 1] = found.lower;
    }
}

// Upper end-plates of a spine, by axis. False where a value is not finite or an end-plate has no length.
struct UpperPlates {
    double x[kMostVertebrae], y[kMostVertebrae];

    __attribute__((always_inline)) bool read(const double* corners, int m) {
        bool fit = true;
        for (int v = 0; v < m; ++v, corners += 8) {
            x[v] = corners[2] - corners[0];
            y[v] = corners[3] - corners[1];
            fit &= has_end_plates(corners);
        }
        for (int v = m; v < kMostVertebrae; ++v) x[v] = y[v] = 0.0;
        return fit;
    }
};

// Turns from all vertebrae to the lower end-plate of one; writes whole lanes.
SPINERT_INLINE void turns_to(const UpperPlates& plates, const double* vertebra, int count, double* turns) {
    const double bx = vertebra[6] - vertebra[4], by = vertebra[7] - vertebra[5];
    degrees_to(bx, by, plates.x, plates.y, count, turns);
    for (int v = 0; v < count; ++v) turns[v] = turn_of(turns[v], plates.x[v] * by - plates.y[v] * bx);
}

static void end_vertebrae_of_spines(EndVertebraeJob job) {
    const size_t most = static_cast<size_t>(job.m) - 1;
    UpperPlates plates;
    Chains chains;
    double turns[kMostVertebrae];
    for (size_t spine = 0; spine < job.n; ++spine) {
        const double* const corners = job.corners + 8 * (most + 1) * spine;
        int32_t* const vertebrae = job.vertebrae + 3 * most * spine;
        double* const found = job.turns + most * spine;
        int count = -1;
        if (plates.read(corners, job.m)) {
            begin_chains(chains);
            for (int lower = 1; lower < job.m; ++lower) {
                turns_to(plates, corners + 8 * lower, lower, turns);
                add_vertebra(chains, lower, turns, job.threshold);
            }
            count = write_curves(chains, corners, vertebrae, found);
        }
        job.counts[spine] = count;
        write_no_curves(count < 0 ? 0 : count, job.m, vertebrae, found);
    }
}

}  // namespace
}  // namespace spinert

namespace spinert::angles {
namespace {

constexpr Kernels kTable = {corner_tilts, angles_between, challenge_angles_of_spines, end_vertebrae_of_spines};

}  // namespace
}  // namespace spinert::angles
