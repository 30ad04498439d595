// Which table of kernels runs: the best that this processor and its operating system support, or the forced one.
#include <atomic>

#include "parallel.h"
#include "table.h"

namespace spinert {

extern const Kernels kernels_base;
#ifdef SPINERT_X86
extern const Kernels kernels_avx2, kernels_avx512;
#endif

namespace {

struct Candidate {
    const Kernels* kernels;
    bool (*usable)();
};

// Best first. __builtin_cpu_supports asks XGETBV as well: that the operating system saves the registers.
const Candidate kCandidates[] = {
#ifdef SPINERT_X86
    {&kernels_avx512,
     [] {
         return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
     }},
    {&kernels_avx2, [] { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }},
#endif
    {&kernels_base, [] { return true; }},
};

const Kernels* best() {
    for (const Candidate& candidate : kCandidates) {
        if (candidate.usable()) return candidate.kernels;
    }
    return &kernels_base;
}

std::atomic<const Kernels*>& chosen() {
    static std::atomic<const Kernels*> kernels{best()};
    return kernels;
}

std::vector<std::string> names(bool usable_only) {
    std::vector<std::string> result;
    for (const Candidate& candidate : kCandidates) {
        if (!usable_only || candidate.usable()) result.emplace_back(candidate.kernels->isa);
    }
    return result;
}

}  // namespace

const Kernels& active() { return *chosen().load(std::memory_order_relaxed); }

std::vector<std::string> compiled_isas() { return names(false); }
std::vector<std::string> usable_isas() { return names(true); }
std::string active_isa() { return active().isa; }

bool force_isa(const std::string& name) {
    for (const Candidate& candidate : kCandidates) {
        if (name == candidate.kernels->isa && candidate.usable()) {
            chosen().store(candidate.kernels, std::memory_order_relaxed);
            return true;
        }
    }
    return false;
}

void soft_argmax(Maps maps, int radius, float* xy, float* confidence, int threads) {
    const Kernels& kernels = active();
    const size_t cells = static_cast<size_t>(maps.height) * maps.width;
    parallel_for(maps.n, threads, [&](size_t, size_t begin, size_t end) {
        const Maps part = {maps.values + begin * cells, end - begin, maps.height, maps.width};
        kernels.soft_argmax(part, radius, xy + 2 * begin, confidence + begin);
    });
}

void peak(Maps maps, float* xy, float* value, int threads) {
    const Kernels& kernels = active();
    const size_t cells = static_cast<size_t>(maps.height) * maps.width;
    parallel_for(maps.n, threads, [&](size_t, size_t begin, size_t end) {
        const Maps part = {maps.values + begin * cells, end - begin, maps.height, maps.width};
        kernels.peak(part, xy + 2 * begin, value + begin);
    });
}

void tilt_vectors(const double* corners, size_t n, double* vectors) { active().tilt_vectors(corners, n, vectors); }

void angle_matrix(const double* vectors, size_t n, double* degrees) { active().angle_matrix(vectors, n, degrees); }

}  // namespace spinert
