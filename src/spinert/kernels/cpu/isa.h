// A family's kernels, compiled once per instruction set, and which of them runs.
#pragma once

namespace spinert {

enum class Isa { base, avx2, avx512 };
Isa chosen_isa();

}  // namespace spinert

// In the namespace of a family, after its `struct Kernels`: the tables that isa.cc fills, and the one that runs.
#ifdef SPINERT_X86
#define SPINERT_TABLES                          \
    extern const Kernels base, avx2, avx512;    \
    inline const Kernels& active() {            \
        switch (chosen_isa()) {                 \
            case Isa::avx512: return avx512;    \
            case Isa::avx2: return avx2;        \
            default: return base;               \
        }                                       \
    }
#else
#define SPINERT_TABLES           \
    extern const Kernels base;   \
    inline const Kernels& active() { return base; }
#endif
