// Which instruction set runs: the best that this processor and its operating system support, or the forced one.
#include <atomic>

#include "../kernels.h"
#include "isa.h"

namespace spinert {
namespace {

struct Candidate {
    Isa isa;
    const char* name;
    bool (*usable)();
};

// Best first. __builtin_cpu_supports asks XGETBV as well: that the operating system saves the registers.
const Candidate kCandidates[] = {
#ifdef SPINERT_X86
    {Isa::avx512, "avx512",
     [] {
         return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
     }},
    {Isa::avx2, "avx2",
     [] {
         return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
     }},
#endif
    {Isa::base, "base", [] { return true; }},
};

const Candidate* best() {
    for (const Candidate& candidate : kCandidates) {
        if (candidate.usable()) return &candidate;
    }
    return nullptr;  // never: base is usable everywhere
}

// Chosen when the module is loaded: a fork in the middle of a first use would leave a local static half initialised.
std::atomic<const Candidate*> chosen{best()};

std::vector<std::string> names(bool usable_only) {
    std::vector<std::string> result;
    for (const Candidate& candidate : kCandidates) {
        if (!usable_only || candidate.usable()) result.emplace_back(candidate.name);
    }
    return result;
}

}  // namespace

Isa chosen_isa() { return chosen.load(std::memory_order_relaxed)->isa; }

std::vector<std::string> compiled_isas() { return names(false); }
std::vector<std::string> usable_isas() { return names(true); }
std::string active_isa() { return chosen.load(std::memory_order_relaxed)->name; }

bool force_isa(const std::string& name) {
    for (const Candidate& candidate : kCandidates) {
        if (name == candidate.name && candidate.usable()) {
            chosen.store(&candidate, std::memory_order_relaxed);
            return true;
        }
    }
    return false;
}

}  // namespace spinert
