// Vectors along vertebrae, the angles between them, and Cobb angles of whole spines.
#pragma once

#include <cstddef>
#include <cstdint>

#include "isa.h"

namespace spinert {

// corners [n, 4, 2] as TL, TR, BL, BR -> left-to-right vectors [n, 2].
void tilt_vectors(const double* corners, size_t n, double* vectors, int threads);

// vectors [n, m, 2] -> angles between each two of the same spine, degrees [n, m, m].
void angle_matrices(const double* vectors, size_t n, size_t m, double* degrees, int threads);

// corners [n, 17, 4, 2], image heights [n] -> the challenge's angles [n, 3] and end vertebrae [n, 2].
void challenge_angles(const double* corners, const double* heights, size_t n, double* degrees, int32_t* ends,
                      int threads);

// corners [n, m, 4, 2], 2 <= m <= 32 -> curves as upper and lower end vertebra and apex [n, m - 1, 3], turns [n, m - 1]
// and how many curves [n]; -1 and nan where there are no more.
constexpr size_t kMostVertebraeOfSpine = 32;
struct EndVertebraeJob {
    const double* corners;
    size_t n;
    int m;
    double threshold;
    int32_t* vertebrae;
    double* turns;
    int32_t* counts;
};
void end_vertebrae(EndVertebraeJob job, int threads);

namespace angles {

struct Kernels {
    void (*tilt_vectors)(const double* corners, size_t n, double* vectors);
    void (*angle_matrices)(const double* vectors, size_t n, size_t m, double* degrees);
    void (*challenge_angles)(const double* corners, const double* heights, size_t n, double* degrees, int32_t* ends);
    void (*end_vertebrae)(EndVertebraeJob job);
};
SPINERT_TABLES

}  // namespace angles
}  // namespace spinert
