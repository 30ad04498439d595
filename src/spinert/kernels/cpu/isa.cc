// The one unit that is compiled once per instruction set, with -DSPINERT_ISA=base, avx2 or avx512 and its -m flags.
//
// Only static functions and one constant table: an inline function of the standard library compiled here with AVX
// could be the copy that the linker keeps for everybody. No allocation, no globals, no standard library.
// -ffp-contract=off and fixed 16-lane sums make every ISA give the same bits.
#include "table.h"

#include "lanes.inl"

#include "angles.inl"
#include "dbscan_few.inl"
#include "dbscan.inl"
#include "heatmaps.inl"
#include "kmeans.inl"
#include "ranks.inl"
#include "resize.inl"

#define SPINERT_JOIN_(a, b) a##b
#define SPINERT_JOIN(a, b) SPINERT_JOIN_(a, b)
#define SPINERT_TEXT_(a) #a
#define SPINERT_TEXT(a) SPINERT_TEXT_(a)

namespace spinert {

extern const Kernels SPINERT_JOIN(kernels_, SPINERT_ISA);
constexpr Kernels SPINERT_JOIN(kernels_, SPINERT_ISA) = {
    SPINERT_TEXT(SPINERT_ISA), count_brackets<uint8_t>, count_brackets<uint16_t>, resize_rows<uint8_t>,
    resize_rows<uint16_t>,     soft_argmax_maps,        peak_of_maps,             corner_tilts,
    angles_between,            dbscan_group,            kmeans_of_points,
};

}  // namespace spinert
