// Arithmetic, bits, loads and atomics of CUDA. Threads of an emulated kernel never run at the same time.
#pragma once

#define EMULATED_MINMAX(T)                              \
    inline T min(T a, T b) { return b < a ? b : a; }    \
    inline T max(T a, T b) { return a < b ? b : a; }
EMULATED_MINMAX(int)
EMULATED_MINMAX(unsigned)
EMULATED_MINMAX(long)
EMULATED_MINMAX(unsigned long)
EMULATED_MINMAX(long long)
EMULATED_MINMAX(unsigned long long)
#undef EMULATED_MINMAX
inline float min(float a, float b) { return fminf(a, b); }
inline float max(float a, float b) { return fmaxf(a, b); }
inline double min(double a, double b) { return fmin(a, b); }
inline double max(double a, double b) { return fmax(a, b); }

inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fsub_rn(float a, float b) { return a - b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float __fsqrt_rn(float a) { return sqrtf(a); }
inline float __fmaf_rn(float a, float b, float c) { return fmaf(a, b, c); }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dsub_rn(double a, double b) { return a - b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return sqrt(a); }
inline double __fma_rn(double a, double b, double c) { return fma(a, b, c); }
inline float rsqrtf(float a) { return 1.0f / sqrtf(a); }
inline float __saturatef(float a) { return a > 0.0f ? (a < 1.0f ? a : 1.0f) : 0.0f; }

// Conversions saturate and take nan to 0, as the device's do.
template <class To, class From>
To emulated_convert(From value, To low, To high) {
    if (value != value) return 0;
    if (value <= static_cast<From>(low)) return low;
    if (value >= static_cast<From>(high)) return high;
    return static_cast<To>(value);
}
inline int __float2int_rn(float a) { return emulated_convert<int>(rintf(a), INT32_MIN, INT32_MAX); }
inline int __float2int_rz(float a) { return emulated_convert<int>(truncf(a), INT32_MIN, INT32_MAX); }
inline int __float2int_rd(float a) { return emulated_convert<int>(floorf(a), INT32_MIN, INT32_MAX); }
inline unsigned __float2uint_rn(float a) { return emulated_convert<unsigned>(rintf(a), 0u, UINT32_MAX); }
inline int __double2int_rn(double a) { return emulated_convert<int>(rint(a), INT32_MIN, INT32_MAX); }
inline int __double2int_rz(double a) { return emulated_convert<int>(trunc(a), INT32_MIN, INT32_MAX); }
inline int __double2int_rd(double a) { return emulated_convert<int>(floor(a), INT32_MIN, INT32_MAX); }
inline long long __double2ll_rn(double a) { return emulated_convert<long long>(rint(a), INT64_MIN, INT64_MAX); }
inline float __int2float_rn(int a) { return static_cast<float>(a); }

inline int __float_as_int(float a) { return emulated::from_bits<int>(emulated::to_bits(a)); }
inline unsigned __float_as_uint(float a) { return emulated::from_bits<unsigned>(emulated::to_bits(a)); }
inline float __int_as_float(int a) { return emulated::from_bits<float>(emulated::to_bits(a)); }
inline float __uint_as_float(unsigned a) { return emulated::from_bits<float>(emulated::to_bits(a)); }
inline long long __double_as_longlong(double a) { return emulated::from_bits<long long>(emulated::to_bits(a)); }
inline double __longlong_as_double(long long a) { return emulated::from_bits<double>(emulated::to_bits(a)); }

inline int __popc(unsigned a) { return __builtin_popcount(a); }
inline int __popcll(unsigned long long a) { return __builtin_popcountll(a); }
inline int __clz(int a) { return a == 0 ? 32 : __builtin_clz(static_cast<unsigned>(a)); }
inline int __clzll(long long a) { return a == 0 ? 64 : __builtin_clzll(static_cast<unsigned long long>(a)); }
inline int __ffs(int a) { return __builtin_ffs(a); }
inline int __ffsll(long long a) { return __builtin_ffsll(a); }
inline unsigned __umulhi(unsigned a, unsigned b) { return static_cast<unsigned>(uint64_t{a} * b >> 32); }

template <class T>
T __ldg(const T* from) { return *from; }
template <class T>
T __ldcs(const T* from) { return *from; }
template <class T>
void __stcs(T* to, T value) { *to = value; }

// Reads, changes and returns what was there.
template <class T, class Change>
T emulated_atomic(T* at, Change change) {
    const T before = *at;
    *at = change(before);
    return before;
}
#define EMULATED_ATOMICS(T)                                                                               \
    inline T atomicAdd(T* at, T by) { return emulated_atomic(at, [=](T was) { return static_cast<T>(was + by); }); }   \
    inline T atomicMin(T* at, T by) { return emulated_atomic(at, [=](T was) { return by < was ? by : was; }); } \
    inline T atomicMax(T* at, T by) { return emulated_atomic(at, [=](T was) { return was < by ? by : was; }); } \
    inline T atomicExch(T* at, T by) { return emulated_atomic(at, [=](T) { return by; }); }               \
    inline T atomicOr(T* at, T by) { return emulated_atomic(at, [=](T was) { return static_cast<T>(was | by); }); }    \
    inline T atomicAnd(T* at, T by) { return emulated_atomic(at, [=](T was) { return static_cast<T>(was & by); }); }   \
    inline T atomicXor(T* at, T by) { return emulated_atomic(at, [=](T was) { return static_cast<T>(was ^ by); }); }   \
    inline T atomicCAS(T* at, T expected, T by) {                                                         \
        return emulated_atomic(at, [=](T was) { return was == expected ? by : was; });                    \
    }
EMULATED_ATOMICS(int)
EMULATED_ATOMICS(unsigned)
EMULATED_ATOMICS(unsigned long long)
#undef EMULATED_ATOMICS
inline int atomicSub(int* at, int by) { return atomicAdd(at, -by); }
inline float atomicAdd(float* at, float by) { return emulated_atomic(at, [=](float was) { return was + by; }); }
inline double atomicAdd(double* at, double by) { return emulated_atomic(at, [=](double was) { return was + by; }); }
