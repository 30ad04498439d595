// Angles: the kernels of the active ISA.
#include "angles.h"

namespace spinert {

void tilt_vectors(const double* corners, size_t n, double* vectors) {
    angles::active().tilt_vectors(corners, n, vectors);
}

void angle_matrix(const double* vectors, size_t n, double* degrees) {
    angles::active().angle_matrix(vectors, n, degrees);
}

}  // namespace spinert
