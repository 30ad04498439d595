// Mid-lines: threads around the kernels of one ISA.
#include "midlines.h"

#include "parallel.h"

namespace spinert {

void mask_midline(MaskImage mask, double* midline, double* borders, int threads) {
    const midlines::Kernels& kernels = midlines::active();
    parallel_for(mask.rows, threads, [&](size_t, size_t begin, size_t end) {
        kernels.midline({mask.values + begin * mask.columns, end - begin, mask.columns}, midline + begin,
                        borders + 2 * begin);
    });
}

void border_midpoints(const double* borders, size_t rows, double* midpoints, int threads) {
    const midlines::Kernels& kernels = midlines::active();
    parallel_for(rows, threads,
                 [&](size_t, size_t begin, size_t end) { kernels.midpoints(borders, rows, begin, end, midpoints); });
}

}  // namespace spinert
