// Vectors along vertebrae, the angles between them, and Cobb angles of whole spines on the device: as the functions of
// the same names on the CPU, queued on a stream.
#pragma once

#include <cstddef>
#include <cstdint>

#include "stream.h"

namespace spinert::cuda {

void tilt_vectors(const double* corners, size_t n, double* vectors, const Stream& stream);
void angle_matrices(const double* vectors, size_t n, size_t m, double* degrees, const Stream& stream);
void challenge_angles(const double* corners, const double* heights, size_t n, double* degrees, int32_t* ends,
                      const Stream& stream);

// corners [n, m, 4, 2] -> vertebrae [n, m - 1, 3], turns [n, m - 1], counts [n].
struct Spines {
    const double* corners;
    size_t n;
    int m;
};
struct Curves {
    int32_t* vertebrae;
    double* turns;
    int32_t* counts;
};
void end_vertebrae(const Spines& spines, double threshold, const Curves& curves, const Stream& stream);

}  // namespace spinert::cuda
