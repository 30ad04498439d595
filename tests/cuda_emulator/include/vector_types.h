// The short vectors of CUDA.
#pragma once

#define EMULATED_VECTOR(type, name, align2, align4)                                                    \
    struct alignas(align2) name##2 { type x, y; };                                                     \
    struct alignas(align4) name##4 { type x, y, z, w; };                                               \
    inline name##2 make_##name##2(type x, type y) { return {x, y}; }                                   \
    inline name##4 make_##name##4(type x, type y, type z, type w) { return {x, y, z, w}; }
EMULATED_VECTOR(unsigned char, uchar, 2, 4)
EMULATED_VECTOR(short, short, 4, 8)
EMULATED_VECTOR(unsigned short, ushort, 4, 8)
EMULATED_VECTOR(int, int, 8, 16)
EMULATED_VECTOR(unsigned, uint, 8, 16)
EMULATED_VECTOR(float, float, 8, 16)
EMULATED_VECTOR(double, double, 16, 16)
#undef EMULATED_VECTOR
struct float3 { float x, y, z; };
struct int3 { int x, y, z; };
struct double3 { double x, y, z; };
inline float3 make_float3(float x, float y, float z) { return {x, y, z}; }
inline int3 make_int3(int x, int y, int z) { return {x, y, z}; }
inline double3 make_double3(double x, double y, double z) { return {x, y, z}; }
