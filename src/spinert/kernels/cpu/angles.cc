// Angles: threads around the kernels of the active ISA.
#include "angles.h"

#include "parallel.h"

namespace spinert {

void tilt_vectors(const double* corners, size_t n, double* vectors, int threads) {
    const angles::Kernels& kernels = angles::active();
    parallel_for(n, threads, [&](size_t, size_t begin, size_t end) {
        kernels.tilt_vectors(corners + 8 * begin, end - begin, vectors + 2 * begin);
    });
}

void angle_matrices(const double* vectors, size_t n, size_t m, double* degrees, int threads) {
    const angles::Kernels& kernels = angles::active();
    parallel_for(n, threads, [&](size_t, size_t begin, size_t end) {
        kernels.angle_matrices(vectors + 2 * m * begin, end - begin, m, degrees + m * m * begin);
    });
}

void challenge_angles(const double* corners, const double* heights, size_t n, double* degrees, int32_t* ends,
                      int threads) {
    const angles::Kernels& kernels = angles::active();
    parallel_for(n, threads, [&](size_t, size_t begin, size_t end) {
        kernels.challenge_angles(corners + 17 * 8 * begin, heights + begin, end - begin, degrees + 3 * begin,
                                 ends + 2 * begin);
    });
}

void end_vertebrae(EndVertebraeJob job, int threads) {
    const angles::Kernels& kernels = angles::active();
    const size_t m = static_cast<size_t>(job.m);
    parallel_for(job.n, threads, [&](size_t, size_t begin, size_t end) {
        EndVertebraeJob part = job;
        part.corners += 8 * m * begin;
        part.n = end - begin;
        part.vertebrae += 3 * (m - 1) * begin;
        part.turns += (m - 1) * begin;
        part.counts += begin;
        kernels.end_vertebrae(part);
    });
}

}  // namespace spinert
