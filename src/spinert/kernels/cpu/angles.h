// Vectors along vertebrae and the angles between them.
#pragma once

#include <cstddef>

#include "isa.h"

namespace spinert {

// corners [n, 4, 2] as TL, TR, BL, BR -> left-to-right vectors [n, 2].
void tilt_vectors(const double* corners, size_t n, double* vectors);

// vectors [n, 2] -> angle between each two of them, degrees [n, n].
void angle_matrix(const double* vectors, size_t n, double* degrees);

namespace angles {

struct Kernels {
    void (*tilt_vectors)(const double* corners, size_t n, double* vectors);
    void (*angle_matrix)(const double* vectors, size_t n, double* degrees);
};
SPINERT_TABLES

}  // namespace angles
}  // namespace spinert
