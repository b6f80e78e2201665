// Vectors of as many floats as the instruction set has in a register, and the few operations that the
// compilers' vector extensions leave out. Wider vectors than the registers are five to ten times slower.
#pragma once
#if defined(__FAST_MATH__) || (defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__)
#error "lanes: with -ffast-math a training that has diverged is not seen, and bits hang on the compiler"
#endif
#include <cstdint>
#include <cstring>
#include <utility>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#elif defined(__wasm__)
#include <wasm_simd128.h>
#endif

#define INLINE static inline __attribute__((always_inline))
#define INLINE_MEMBER inline __attribute__((always_inline))
#define UNROLL _Pragma("GCC unroll 16")

namespace LANES_SET {  // each set has names of its own, or the linker would merge code for different processors

#if defined(__AVX512F__)
constexpr int LANES = 16, NR = 4, MR = 6;
#elif defined(__AVX2__)
constexpr int LANES = 8, NR = 2, MR = 6;
#elif defined(__aarch64__)
constexpr int LANES = 4, NR = 4, MR = 6;
#else
constexpr int LANES = 4, NR = 2, MR = 4;
#endif

// A number as a type.
template <int32_t N> struct Constant { static constexpr int32_t value = N; };

typedef float V __attribute__((vector_size(LANES * 4)));
typedef int32_t VI __attribute__((vector_size(LANES * 4)));
typedef uint32_t VU __attribute__((vector_size(LANES * 4)));  // whose products may overflow

INLINE V splat(float x) { return x - V{}; }  // less 0, which the compilers know to change nothing
INLINE VI splat_int(int32_t x) { return VI{} + x; }

INLINE VI bits(V x) { VI i; std::memcpy(&i, &x, sizeof i); return i; }
INLINE V from_bits(VI i) { V x; std::memcpy(&x, &i, sizeof x); return x; }
INLINE V unaligned(const float* p) { V x; std::memcpy(&x, p, sizeof x); return x; }
INLINE VI unaligned(const int32_t* p) { VI x; std::memcpy(&x, p, sizeof x); return x; }

INLINE void prefetch(const void* from, size_t bytes) {  // from wherever it is
    for (size_t at = 0; at < bytes; at += 64) __builtin_prefetch((const char*)from + at);
}

INLINE V magnitude(V x) { return from_bits(bits(x) & 0x7fffffff); }
// 0 instead of numbers below 2^-126; NaN stays. Weights, moments and derivatives that are kept go through it, for the
// running means of units that have died would stay there, and processors take up to a hundred times as long with such
// numbers. What comes and goes within a sum is left to IEEE 754: so all instruction sets have the same bits.
INLINE V flushed(V x) {
#if defined(__AVX512F__)  // of which GCC makes four instructions
    return (V)_mm512_maskz_mov_ps(_mm512_test_epi32_mask((__m512i)x, _mm512_set1_epi32(0x7f800000)), (__m512)x);
#else
    return magnitude(x) < 0x1p-126f ? splat(0.f) : x;
#endif
}
INLINE V with_sign_of(V size, V x) { return from_bits((bits(size) & 0x7fffffff) | (bits(x) & INT32_MIN)); }

// a b + c, rounded once on every set: by the processor, or emulated where it has no such instruction. On a web page
// door.cpp asks which it is, and lanes.js then writes calls of its emulation in the instructions' place.
INLINE V fma(V a, V b, V c) {
#if defined(__AVX512F__)
    return (V)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__AVX2__)
    return (V)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#elif defined(__aarch64__)
    return (V)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
#elif defined(__wasm__)
    return (V)wasm_f32x4_relaxed_madd((v128_t)a, (v128_t)b, (v128_t)c);
#else
    V r;
    for (int lane = 0; lane < LANES; lane++) r[lane] = __builtin_fmaf(a[lane], b[lane], c[lane]);
    return r;
#endif
}

INLINE V root(V x) {
#if defined(__AVX512F__)
    return (V)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
    return (V)_mm256_sqrt_ps((__m256)x);
#elif defined(__aarch64__)
    return (V)vsqrtq_f32((float32x4_t)x);
#elif defined(__wasm__)
    return (V)wasm_f32x4_sqrt((v128_t)x);
#else
    return (V)_mm_sqrt_ps((__m128)x);
#endif
}

// Stage s of a transposition: of a pair of vectors s apart, the second halves of each 2 s lanes change places.
#if defined(__clang__)
template <int S, bool SECOND, int... L> INLINE V half(V x, V y, std::integer_sequence<int, L...>) {
    return __builtin_shufflevector(x, y, (L & S ? LANES + L - (SECOND ? 0 : S) : L + (SECOND ? S : 0))...);
}
#else
template <int S, bool SECOND, int... L> INLINE V half(V x, V y, std::integer_sequence<int, L...>) {
    return __builtin_shuffle(x, y, VI{(L & S ? LANES + L - (SECOND ? 0 : S) : L + (SECOND ? S : 0))...});
}
#endif

template <int S> INLINE void transpose_from(V (&m)[LANES]) {
    constexpr auto lanes = std::make_integer_sequence<int, LANES>();
    UNROLL for (int i = 0; i < LANES; i++)
        if (!(i & S)) {
            const V x = m[i], y = m[i + S];
            m[i] = half<S, false>(x, y, lanes), m[i + S] = half<S, true>(x, y, lanes);
        }
    if constexpr (S > 1) transpose_from<S / 2>(m);
}

INLINE void transpose(V (&m)[LANES]) { transpose_from<LANES / 2>(m); }

INLINE V unaligned(const float* p, int64_t n) {  // n of them, the others 0
    if (n == LANES) return unaligned(p);
    V x{};
    for (int64_t i = 0; i < n; i++) x[i] = p[i];
    return x;
}

INLINE void put_unaligned(float* p, V x, int64_t n) {
    if (n == LANES) std::memcpy(p, &x, sizeof x);
    else for (int64_t i = 0; i < n; i++) p[i] = x[i];
}

}  // namespace LANES_SET
