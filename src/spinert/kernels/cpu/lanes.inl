// 64 bytes of numbers, 16 of float: one AVX-512 register, two of AVX2, four of SSE2 or NEON. The arithmetic of a lane
// is the same in each, and reductions go through the lanes in one fixed order: every ISA gives the same bits.
// GCC and Clang vector extensions do the rest; a vector wider than the registers would compile too, but to slow code.
#pragma once

#include <cstdint>

#define SPINERT_INLINE static inline __attribute__((always_inline))

namespace spinert {
namespace {

constexpr float kInfinity = __builtin_huge_valf();

SPINERT_INLINE int smaller(int a, int b) { return a < b ? a : b; }
SPINERT_INLINE int larger(int a, int b) { return a > b ? a : b; }

#if defined(__AVX512F__)
constexpr int kRegisterBytes = 64;
#elif defined(__AVX2__)
constexpr int kRegisterBytes = 32;
#else
constexpr int kRegisterBytes = 16;
#endif

// A register, or two halves. Named halves rather than an array: the compiler keeps them in registers.
template <class T, int kBytes = 64>
struct Lanes {
    static constexpr int kCount = kBytes / static_cast<int>(sizeof(T));
    Lanes<T, kBytes / 2> low, high;
};
template <class T>
struct Lanes<T, kRegisterBytes> {
    static constexpr int kCount = kRegisterBytes / static_cast<int>(sizeof(T));
    typedef T Vector __attribute__((vector_size(kRegisterBytes)));
    Vector lanes;
};
template <class T>
using Register = Lanes<T, kRegisterBytes>;

using Floats = Lanes<float>;
using Ints = Lanes<int32_t>;

#define SPINERT_LANEWISE(op)                                                                 \
    template <class T>                                                                       \
    SPINERT_INLINE Register<T> operator op(Register<T> a, Register<T> b) {                   \
        return {a.lanes op b.lanes};                                                         \
    }                                                                                        \
    template <class T, int kBytes>                                                           \
    SPINERT_INLINE Lanes<T, kBytes> operator op(Lanes<T, kBytes> a, Lanes<T, kBytes> b) {    \
        return {a.low op b.low, a.high op b.high};                                           \
    }
SPINERT_LANEWISE(+)
SPINERT_LANEWISE(-)
SPINERT_LANEWISE(*)
SPINERT_LANEWISE(&)
SPINERT_LANEWISE(|)
SPINERT_LANEWISE(<<)

// The bits of each lane taken for another type of the same size.
template <class To, class From>
SPINERT_INLINE Register<To> bits_as(Register<From> v) {
    return {(typename Register<To>::Vector)v.lanes};
}
template <class To, class From, int kBytes>
SPINERT_INLINE Lanes<To, kBytes> bits_as(Lanes<From, kBytes> v) {
    return {bits_as<To>(v.low), bits_as<To>(v.high)};
}

// A comparison sets all bits of a lane for true; its result has the type of the operands.
#define SPINERT_COMPARISON(op)                                                               \
    template <class T>                                                                       \
    SPINERT_INLINE Register<T> operator op(Register<T> a, Register<T> b) {                   \
        return {(typename Register<T>::Vector)(a.lanes op b.lanes)};                       \
    }                                                                                        \
    template <class T, int kBytes>                                                           \
    SPINERT_INLINE Lanes<T, kBytes> operator op(Lanes<T, kBytes> a, Lanes<T, kBytes> b) {    \
        return {a.low op b.low, a.high op b.high};                                           \
    }
SPINERT_COMPARISON(<)
SPINERT_COMPARISON(<=)
SPINERT_COMPARISON(>)
SPINERT_COMPARISON(!=)

template <class T, int kBytes>
struct Fill {
    __attribute__((always_inline)) static Lanes<T, kBytes> with(T value) {
        return {Fill<T, kBytes / 2>::with(value), Fill<T, kBytes / 2>::with(value)};
    }
    __attribute__((always_inline)) static Lanes<T, kBytes> from(const T* source) {
        return {Fill<T, kBytes / 2>::from(source), Fill<T, kBytes / 2>::from(source + kBytes / 2 / sizeof(T))};
    }
};
template <class T>
struct Fill<T, kRegisterBytes> {
    __attribute__((always_inline)) static Register<T> with(T value) { return {typename Register<T>::Vector{} + value}; }
    __attribute__((always_inline)) static Register<T> from(const T* source) {
        Register<T> v;
        __builtin_memcpy(&v.lanes, source, kRegisterBytes);
        return v;
    }
};

template <class T>
SPINERT_INLINE Lanes<T> all(T value) {
    return Fill<T, 64>::with(value);
}

template <class T>
SPINERT_INLINE Lanes<T> load(const T* from) {
    return Fill<T, 64>::from(from);
}

// The first `count` lanes; the others hold `fill`.
template <class T>
SPINERT_INLINE Lanes<T> load_part(const T* from, int count, T fill) {
    T lanes[Lanes<T>::kCount];
    for (T& lane : lanes) lane = fill;
    for (int i = 0; i < count; ++i) lanes[i] = from[i];
    return load(lanes);
}

template <class T, int kBytes>
SPINERT_INLINE void store(Lanes<T, kBytes> v, T* to) {
    __builtin_memcpy(to, &v, sizeof v);
}

// The first `count` lanes.
template <class T>
SPINERT_INLINE void store_part(Lanes<T> v, T* to, int count) {
    if (count == Lanes<T>::kCount) return store(v, to);
    T lanes[Lanes<T>::kCount];
    store(v, lanes);
    for (int i = 0; i < count; ++i) to[i] = lanes[i];
}

template <int kBytes>
struct IntOf;
template <>
struct IntOf<4> {
    typedef int32_t Type;
};
template <>
struct IntOf<8> {
    typedef int64_t Type;
};

// `yes` where the mask is set, else `no`.
template <class T, class Mask>
SPINERT_INLINE Register<T> select(Register<Mask> mask, Register<T> yes, Register<T> no) {
    return {bits_as<typename IntOf<sizeof(T)>::Type>(mask).lanes ? yes.lanes : no.lanes};
}
template <class T, class Mask, int kBytes>
SPINERT_INLINE Lanes<T, kBytes> select(Lanes<Mask, kBytes> mask, Lanes<T, kBytes> yes, Lanes<T, kBytes> no) {
    return {select(mask.low, yes.low, no.low), select(mask.high, yes.high, no.high)};
}

// Whether a mask is set in any lane: halves are folded onto each other down to two words.
typedef uint64_t Words2 __attribute__((vector_size(16)));
typedef uint64_t Words4 __attribute__((vector_size(32)));
typedef uint64_t Words8 __attribute__((vector_size(64)));

SPINERT_INLINE bool any_of(Words2 w) { return (w[0] | w[1]) != 0; }
SPINERT_INLINE bool any_of(Words4 w) {
    return any_of(__builtin_shufflevector(w, w, 0, 1) | __builtin_shufflevector(w, w, 2, 3));
}
SPINERT_INLINE bool any_of(Words8 w) {
    return any_of(__builtin_shufflevector(w, w, 0, 1, 2, 3) | __builtin_shufflevector(w, w, 4, 5, 6, 7));
}

template <class T>
SPINERT_INLINE bool any(Register<T> mask) {
    return any_of(bits_as<uint64_t>(mask).lanes);
}
template <class T, int kBytes>
SPINERT_INLINE bool any(Lanes<T, kBytes> mask) {
    return any(bits_as<uint64_t>(mask.low) | bits_as<uint64_t>(mask.high));
}

// Sums in double: lane i of the floats goes to sum i % 8.
struct Sums {
    double sum[8] = {};

    __attribute__((always_inline)) void add(Floats v) {
        float lanes[16];
        store(v, lanes);
        for (int i = 0; i < 8; ++i) {
            sum[i] += static_cast<double>(lanes[i]) + static_cast<double>(lanes[i + 8]);
        }
    }
    __attribute__((always_inline)) double total() const {
        return ((sum[0] + sum[4]) + (sum[2] + sum[6])) + ((sum[1] + sum[5]) + (sum[3] + sum[7]));
    }
};

}  // namespace
}  // namespace spinert
