// Half precision: conversions only, which is all that the kernels do with it.
#pragma once

struct alignas(2) __half {
    _Float16 value;
    __half() = default;
};
using half = __half;
struct alignas(4) __half2 {
    __half x, y;
};
inline __half __float2half_rn(float a) {
    __half h;
    h.value = static_cast<_Float16>(a);
    return h;
}
inline __half __float2half(float a) { return __float2half_rn(a); }
inline __half __double2half(double a) {
    __half h;
    h.value = static_cast<_Float16>(a);
    return h;
}
inline float __half2float(__half a) { return static_cast<float>(a.value); }
inline __half2 __floats2half2_rn(float a, float b) { return {__float2half_rn(a), __float2half_rn(b)}; }
