// exp, log, log1p, tanh and erf of vectors, within 2 units in the last place of the exact value for every
// float32, and sigmoid within 3, with the same bits on every instruction set: polynomials by weighted least
// squares on Chebyshev points, the largest error pressed down by reweighting. NaN stays NaN.
#pragma once
#include "vectors.hpp"

namespace LANES_SET {

constexpr float INFINITE = __builtin_inff(), ROUNDER = 0x1.8p23f;  // adding it rounds to a whole number
constexpr float LEAST = -0x1.5d589ep6f;  // e to the power of it is at least 2^-126

template <int N> INLINE V polynomial(V x, const float (&c)[N]) {
    V y = splat(c[0]);
    UNROLL for (int i = 1; i < N; i++) y = fma(y, x, splat(c[i]));
    return y;
}

// x = k log 2 + r, |r| ≤ log 2 / 2; e^r = 1 + r + r² q(r); the power of two in two factors, each a number. Below 2^-126
// it is 0.
INLINE V exponential(V x) {
    static const float q[] = {0x1.9f077ap-13f, 0x1.6d8e6ep-10f, 0x1.111274p-7f, 0x1.55548cp-5f, 0x1.555554p-3f, 0.5f};
    const VI none = x < LEAST;
    x = none ? splat(LEAST) : x;
    x = x > 90.f ? splat(90.f) : x;
    V shifted = fma(x, splat(0x1.715476p0f), splat(ROUNDER)), whole = shifted - ROUNDER;
    V r = fma(whole, splat(-0x1.62e400p-1f), x);
    r = fma(whole, splat(-0x1.7f7d1cp-20f), r);
    V y = fma(polynomial(r, q), r * r, r) + 1.f;
    VI k = bits(shifted) - bits(splat(ROUNDER)), half = k >> 1;
    return none ? splat(0.f) : y * from_bits((half + 127) << 23) * from_bits((k - half + 127) << 23);
}

// x = 2^k (1 + f), √½ ≤ 1 + f < √2; log(1 + f) = f − f²/2 + f³ q(f).
INLINE V logarithm(V x) {
    static const float q[] = {0x1.146316p-4f, -0x1.de4fa0p-4f, 0x1.e6f606p-4f, -0x1.fc1f6cp-4f, 0x1.2336e2p-3f,
                              -0x1.555c5ap-3f, 0x1.99a4bcp-3f, -0x1.000006p-2f, 0x1.555548p-2f};
    constexpr int32_t LOW = 0x3f3504f3;  // √½
    VI small = x < 0x1p-126f;
    VI i = (VI)((VU)bits(small ? x * 0x1p23f : x) - (uint32_t)LOW);  // of x < 0 it may overflow
    V k = __builtin_convertvector((i >> 23) - (small & 23), V);
    V f = from_bits((i & 0x7fffff) + LOW) - 1.f, square = f * f;
    V y = fma(polynomial(f, q) * f, square, k * 0x1.7f7d1cp-20f);
    y = fma(square, splat(-0.5f), y) + f;
    y = fma(k, splat(0x1.62e400p-1f), y);
    y = x == INFINITE ? x : y;
    y = x == 0.f ? splat(-INFINITE) : y;
    return x < 0.f ? splat(__builtin_nanf("")) : x == x ? y : x;
}

// For 0 ≤ x ≤ 1: log u + log((1 + x) / u), where u is 1 + x rounded, and x − (u − 1) what that has lost.
INLINE V logarithm_of_one_and(V x) {
    V u = 1.f + x;
    return logarithm(u) + (x - (u - 1.f)) / u;
}

INLINE V hyperbolic_tangent(V x) {  // hyperbolic
    static const float q[] = {0x1.1783aep-9f, -0x1.0b97ecp-7f, 0x1.637916p-6f, -0x1.b9ecf4p-5f, 0x1.11105ep-3f, -0x1.555554p-2f};
    V size = magnitude(x), square = x * x;
    V near = fma(polynomial(square, q) * square, x, x);
    V far = 1.f - 2.f / (exponential(size + size) + 1.f);
    return size < 0.625f ? near : with_sign_of(far, x);
}

INLINE V error_function(V x) {
    static const float p[] = {0x1.5cd4b2p-14f, -0x1.aa3f30p-11f, 0x1.54c7f6p-8f, -0x1.b80e90p-6f, 0x1.ce2e0ap-4f, -0x1.812742p-2f, 0x1.06eba8p-3f};
    static const float q[] = {0x1.2f343ep-19f, -0x1.2e8ba6p-15f, 0x1.dfdfeep-13f, -0x1.21a684p-11f, -0x1.c37408p-10f,
                              0x1.5aa598p-6f, -0x1.aa637cp-4f, -0x1.45b22cp-1f, -0x1.20e2bep0f};
    V size = magnitude(x), most = size > 4.f ? splat(4.f) : size;
    V near = fma(polynomial(x * x, p), x, x);
    V far = 1.f - exponential(polynomial(most, q) * most);
    return size < 0.92f ? near : with_sign_of(far, x);
}

INLINE V logistic(V x) {
    V e = exponential(-magnitude(x));
    return (x < 0.f ? e : splat(1.f)) / (1.f + e);
}

}  // namespace LANES_SET
