// The one unit that is compiled for every family and instruction set, with -DSPINERT_FAMILY=heatmaps,
// -DSPINERT_ISA=base, avx2 or avx512 and the -m flags of the latter.
//
// Only static functions and one constant table: an inline function of the standard library compiled here with AVX
// could be the copy that the linker keeps for everybody. No allocation, no globals, no standard library.
// -ffp-contract=off and fixed 16-lane sums make every ISA give the same bits.
#define SPINERT_TEXT_(a) #a
#define SPINERT_TEXT(a) SPINERT_TEXT_(a)

#include SPINERT_TEXT(SPINERT_FAMILY.inl)

namespace spinert::SPINERT_FAMILY {

extern const Kernels SPINERT_ISA;
constexpr Kernels SPINERT_ISA = kTable;

}  // namespace spinert::SPINERT_FAMILY
