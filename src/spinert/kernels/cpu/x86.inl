// The intrinsics of x86-64. GCC 12 says of the undefined lanes in its own header that they are (its bug 105593).
#pragma once

#if defined(__x86_64__)
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#pragma GCC diagnostic pop
#endif
