// The products of a convolution, in tiles of registers.
//
// Pictures are [y][x][channel], each number a vector whose lanes hold examples. What lies under one row of a
// kernel is then one run of (x, channel): no table of offsets and no copy. All three passes are one product,
//
//     sum[m][n] = start + Σ_row Σ_run a[row · a_row + run · a_step + a_at[n]] b[row · b_row + run · b_step + b_at[m]]
//
//              a                          b                              m               n
//   forward    pixels                     weights, spread over lanes     out channel     pixel of 2 × 2
//   down       derivatives by outputs     weights, kernel backwards      in channel      pixel of 2 × 2
//   gradient   pixels                     derivatives by outputs         out channel     place of the kernel
//
// rows and runs in order, one accumulator, fused multiply-adds: so every number has one sum in one order.
//
// With both counts of channels multiples of 16 the lanes may hold output channels of one example instead: the
// weights are then a's vectors, and the pixels, or derivatives, are spread. The sums stay the same.
#pragma once
#include "activations.hpp"
#include "products.hpp"

namespace LANES_SET {

// An operand that stays in its register: GCC would read it from memory for each of its products.
#if defined(__x86_64__)
#define HELD(y) __asm__("" : "+v"(y))
#elif defined(__aarch64__)
#define HELD(y) __asm__("" : "+w"(y))
#else
#define HELD(y)
#endif

#if defined(__AVX512F__) || defined(__aarch64__)
constexpr int CHANNELS_MR = 6;                    // output channels × 4 pixels
constexpr int GRADIENT_NR = 3, GRADIENT_MR = 8;   // places of the kernel × output channels
#else
constexpr int CHANNELS_MR = 3;
constexpr int GRADIENT_NR = 4, GRADIENT_MR = 3;
#endif
#if defined(__wasm__)  // a page has the small half: examples fill its four lanes, and it changes no pictures
constexpr bool BY_CHANNELS = false, AUGMENTS = false;
#else
constexpr bool BY_CHANNELS = true, AUGMENTS = true;
#endif
constexpr int64_t BAND = 48;  // pixels whose gradient is computed together, so that they stay in the first cache

struct Window {
    int64_t rows, run, a_row, a_step, b_row, b_step;  // in vectors; of b in floats where it is spread
};

template <bool SPREAD, int NR, int MR>
INLINE void micro_kernel(V (&sum)[MR][NR], const Window& w, const V* a, const int64_t* a_at, const void* b,
                         const int64_t* b_at) {
    const V* left[NR];
    UNROLL for (int n = 0; n < NR; n++) left[n] = a + a_at[n];
    const int64_t a_skip = w.a_row - w.run * w.a_step, b_skip = w.b_row - w.run * w.b_step;
    const int64_t a_step = w.a_step, b_step = w.b_step;
    int64_t at = 0;
    const float* b_floats = (const float*)b;
    const V* b_vectors = (const V*)b;
    for (int64_t row = 0; row < w.rows; row++) {
        for (int64_t run = 0; run < w.run; run++) {
            if constexpr (MR < NR) {  // the fewer operands are the ones that are held
                V y[MR];
                UNROLL for (int m = 0; m < MR; m++) y[m] = SPREAD ? splat(b_floats[b_at[m]]) : b_vectors[b_at[m]];
                UNROLL for (int n = 0; n < NR; n++) {
                    const V x = left[n][at];
                    UNROLL for (int m = 0; m < MR; m++) sum[m][n] = fma(x, y[m], sum[m][n]);
                }
            } else {
                V x[NR];
                UNROLL for (int n = 0; n < NR; n++) x[n] = left[n][at];
                UNROLL for (int m = 0; m < MR; m++) {
                    V y = SPREAD ? splat(b_floats[b_at[m]]) : b_vectors[b_at[m]];
                    if (!SPREAD) HELD(y);
                    UNROLL for (int n = 0; n < NR; n++) sum[m][n] = fma(x[n], y, sum[m][n]);
                }
            }
            at += a_step;
            if (SPREAD) b_floats += b_step; else b_vectors += b_step;
        }
        at += a_skip;
        if (SPREAD) b_floats += b_skip; else b_vectors += b_skip;
    }
}

// f(first, count as a constant) for panels of at most MOST, whose widths differ by one at most.
template <int N, class Function> INLINE void with_constant(int64_t n, const Function& f) {
    if (n == N) f(std::integral_constant<int, N>());
    else if constexpr (N > 1) with_constant<N - 1>(n, f);
}
template <int MOST, class Function> INLINE void each_constant_panel(int64_t n, const Function& f) {
    const int64_t count = (n + MOST - 1) / MOST;
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = n * i / count;
        with_constant<MOST>(n * (i + 1) / count - at, [&](auto wide) { f(at, wide); });
    }
}

constexpr int64_t NEXT[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

// ---- numbers of eight bits for each lane: which of four pixels a pool has taken

typedef int8_t Choice __attribute__((vector_size(LANES)));
constexpr int DEAD = 4;  // none: ReLU has cut all of them

#if defined(__AVX512F__)  // GCC takes these conversions apart into single numbers
INLINE VI widened(Choice x) { return (VI)_mm512_cvtepi8_epi32((__m128i)x); }
INLINE Choice narrowed(VI x) { return (Choice)_mm512_cvtepi32_epi8((__m512i)x); }
#elif defined(__AVX2__)
INLINE VI widened(Choice x) {
    int64_t i;
    std::memcpy(&i, &x, sizeof i);
    return (VI)_mm256_cvtepi8_epi32(_mm_cvtsi64_si128(i));
}
INLINE Choice narrowed(VI x) { return __builtin_convertvector(x, Choice); }
#else
INLINE VI widened(Choice x) { return __builtin_convertvector(x, VI); }
INLINE Choice narrowed(VI x) { return __builtin_convertvector(x, Choice); }
#endif

// The largest of a pool's four pixels, and which it is: the first of equal ones; a NaN is larger than any number.
INLINE V largest_of_four(const V (&square)[4], VI& which) {
    V best = square[0];
    which = VI{};
    UNROLL for (int n = 1; n < 4; n++) {
        const VI more = (square[n] > best) | (square[n] != square[n]);
        best = more ? square[n] : best, which = more ? splat_int(n) : which;
    }
    return best;
}

// ---- forward, and down: the derivative by the inputs

enum Epilogue { PLAIN_OUTPUT, RELU_OUTPUT, RELU_AND_MAX };

struct Filter {
    bool by_channels;           // what lanes hold; then x and to are floats, a vector so many of them
    const V* x;                 // with its border of zeros
    int64_t in, out;            // channels
    int64_t kernel, stride;
    int64_t row;                // vectors from one row of x to the next
    int64_t border;             // rows and columns of zeros before the numbers of x
    int64_t x_high, x_wide;     // of the numbers in x
    int64_t high, wide;         // of what comes out
    const float *weights;       // [ky][kx][in][out]
    const float* bias;          // [out], or null
    V* to;
    int64_t to_row;
    Epilogue epilogue;
    Choice* choice;             // of RELU_AND_MAX
};

// Two by two pixels of MR channels from channel j on; at an odd edge one of them twice. Rows and columns of the
// kernel that all four find in the border are left out.
template <int MR> INLINE void tile_2x2(const Filter& f, int64_t y, int64_t x, int64_t j) {
    V s[MR][4];
    UNROLL for (int m = 0; m < MR; m++)
        UNROLL for (int n = 0; n < 4; n++) s[m][n] = f.bias ? splat(f.bias[j + m]) + 0.f : V{};  // never −0, or the border would tell
    const int64_t dy = y + 1 < f.high, dx = x + 1 < f.wide;
    const auto inside = [&](int64_t at, int64_t other, int64_t size, int64_t& from, int64_t& to) {
        from = f.border - (at + other) * f.stride, to = f.border + size - at * f.stride;
        from = from > 0 ? from : 0, to = to < f.kernel ? to : f.kernel;
        to = to > from ? to : from;
    };
    int64_t y0, y1, x0, x1;
    inside(y, dy, f.x_high, y0, y1), inside(x, dx, f.x_wide, x0, x1);
    const Window w{y1 - y0, (x1 - x0) * f.in, f.row, 1, f.kernel * f.in * f.out, f.out};
    const int64_t right = dx * f.stride * f.in, below = dy * f.stride * f.row;
    const int64_t a_at[4] = {0, right, below, below + right};
    micro_kernel<true, 4, MR>(s, w, f.x + (y * f.stride + y0) * f.row + (x * f.stride + x0) * f.in, a_at,
                              f.weights + (y0 * f.kernel + x0) * f.in * f.out + j, NEXT);
    if (f.epilogue == RELU_AND_MAX) {
        V* to = f.to + y / 2 * f.to_row + x / 2 * f.out + j;
        Choice* choice = f.choice + (y / 2 * (f.wide / 2) + x / 2) * f.out + j;
        UNROLL for (int m = 0; m < MR; m++) {
            VI which;
            const V best = largest_of_four(s[m], which);
            const VI dead = best <= 0.f;
            to[m] = dead ? V{} : best, choice[m] = narrowed(dead ? splat_int(DEAD) : which);
        }
        return;
    }
    V* to = f.to + y * f.to_row + x * f.out + j;
    const int64_t to_right = dx * f.out, to_below = dy * f.to_row;
    const V least = splat(f.epilogue == RELU_OUTPUT ? 0.f : -INFINITE);
    UNROLL for (int m = 0; m < MR; m++)
        UNROLL for (int n = 0; n < 4; n++)
            to[(n & 1 ? to_right : 0) + (n & 2 ? to_below : 0) + m] = s[m][n] <= least ? least : s[m][n];
}

// The same by channels: two by 2 Q pixels of NR vectors of channels from vector j on.
template <int NR, int Q> INLINE void tile_by_channels(const Filter& f, int64_t y, int64_t x, int64_t j) {
    const int64_t J = f.out / LANES, row = f.row * LANES;
    V s[4 * Q][NR];
    int64_t b_at[4 * Q], to_at[4 * Q];
    UNROLL for (int u = 0; u < 4 * Q; u++) {
        const int64_t below = u % 4 / 2 && y + 1 < f.high, right = u / 4 * 2 + u % 2;
        const int64_t along = x + right < f.wide ? right : f.wide - 1 - x;
        b_at[u] = below * f.stride * row + along * f.stride * f.in, to_at[u] = below * f.to_row + along * J;
        UNROLL for (int n = 0; n < NR; n++) s[u][n] = f.bias ? unaligned(f.bias + (j + n) * LANES) + 0.f : V{};
    }
    const Window w{f.kernel, f.kernel * f.in, f.kernel * f.in * J, J, row, 1};
    micro_kernel<true, NR, 4 * Q>(s, w, (const V*)f.weights + j, NEXT,
                                  (const float*)f.x + y * f.stride * row + x * f.stride * f.in, b_at);
    const V least = splat(f.epilogue == RELU_OUTPUT ? 0.f : -INFINITE);
    UNROLL for (int q = 0; q < Q; q++)
        UNROLL for (int n = 0; n < NR; n++) {
            if (f.epilogue != RELU_AND_MAX) {
                V* to = f.to + y * f.to_row + x * J + j + n;
                UNROLL for (int k = 4 * q; k < 4 * q + 4; k++) to[to_at[k]] = s[k][n] <= least ? least : s[k][n];
                continue;
            }
            const V square[4] = {s[4 * q][n], s[4 * q + 1][n], s[4 * q + 2][n], s[4 * q + 3][n]};
            VI which;
            const V best = largest_of_four(square, which);
            const VI dead = best <= 0.f;
            f.to[y / 2 * f.to_row + (x / 2 + q) * J + j + n] = dead ? V{} : best;
            f.choice[(y / 2 * (f.wide / 2) + x / 2 + q) * J + j + n] = narrowed(dead ? splat_int(DEAD) : which);
        }
}

constexpr int CHANNELS_NR = LANES == 16 ? 4 : 2;  // vectors of output channels

static void filter(const Filter& f) {
    // of a pool only whole squares are wanted
    const int64_t high = f.epilogue == RELU_AND_MAX ? f.high / 2 * 2 : f.high;
    const int64_t wide = f.epilogue == RELU_AND_MAX ? f.wide / 2 * 2 : f.wide;
    if (BY_CHANNELS && f.by_channels)
        return each_constant_panel<CHANNELS_NR>(f.out / LANES, [&](int64_t j, auto n) {
            constexpr int NR = n, Q = LANES == 16 ? (NR < 3 ? 3 : NR == 3 ? 2 : 1) : NR == 1 ? 2 : 1;
            for (int64_t y = 0; y < high; y += 2)
                each_constant_panel<Q>((wide + 1) / 2, [&](int64_t x, auto q) { tile_by_channels<NR, q>(f, y, 2 * x, j); });
        });
    if (f.in < 4) {  // little is read for a tile: less to decide
        each_constant_panel<CHANNELS_MR>(f.out, [&](int64_t j, auto m) {
            for (int64_t y = 0; y < high; y += 2)
                for (int64_t x = 0; x < wide; x += 2) tile_2x2<m>(f, y, x, j);
        });
        return;
    }  // else the inputs of one tile stay in the first cache for all channels
    for (int64_t y = 0; y < high; y += 2)
        for (int64_t x = 0; x < wide; x += 2)
            each_constant_panel<CHANNELS_MR>(f.out, [&](int64_t j, auto m) { tile_2x2<m>(f, y, x, j); });
}

// ---- gradient

struct FilterGradient {
    const V* x;                   // with its border
    int64_t in, out, kernel, stride, row, x_wide;  // x_wide: of a row of x with its border, in pixels
    const V* d;                   // the derivative of rows y0 to y1
    int64_t d_row, d_step;        // from row to row, from pixel to pixel
    int64_t wide;                 // pixels of a row of d
    V *packed_x, *packed_d;       // room for what a panel needs, side by side
    V* sums;                      // [ky][kx][in][out]
};

// Adds rows y0 to y1. What a panel of channels needs is packed side by side first: at powers of two apart it
// would share few lines of the cache; then all of a kernel's places find it in the first cache.
static void filter_gradient(const FilterGradient& g, int64_t y0, int64_t y1) {
    const int64_t rows = y1 - y0, pixels = rows * g.wide, x_rows = (rows - 1) * g.stride + g.kernel;
    const V* x0 = g.x + y0 * g.stride * g.row;
    each_constant_panel<GRADIENT_MR>(g.out, [&](int64_t j, auto mr) {
        constexpr int MR = mr;
        V* to = g.packed_d + j * pixels;
        for (int64_t y = 0; y < rows; y++)
            for (int64_t i = 0; i < g.wide; i++)
                UNROLL for (int m = 0; m < MR; m++) *to++ = g.d[y * g.d_row + i * g.d_step + j + m];
    });
    const bool few = g.in < 3;  // then a kernel's row goes as one run of places
    each_constant_panel<GRADIENT_NR>(few ? g.kernel * g.in : g.in, [&](int64_t i, auto nr) {
        constexpr int NR = nr;
        V* to = g.packed_x;
        if (!few)
            for (int64_t y = 0; y < x_rows; y++)
                for (int64_t p = 0; p < g.x_wide; p++)
                    UNROLL for (int n = 0; n < NR; n++) *to++ = x0[y * g.row + p * g.in + i + n];
        const int64_t a_pixel = few ? g.in : NR, a_row = few ? g.row : g.x_wide * NR;
        each_constant_panel<GRADIENT_MR>(g.out, [&](int64_t j, auto mr) {
            constexpr int MR = mr;
            const Window w{rows, g.wide, g.stride * a_row, g.stride * a_pixel, g.wide * MR, MR};
            for (int64_t ky = 0; ky < g.kernel; ky++)
                for (int64_t kx = 0; kx < (few ? 1 : g.kernel); kx++) {
                    V s[MR][NR], *sum = g.sums + ((ky * g.kernel + kx) * g.in + i) * g.out + j;
                    UNROLL for (int n = 0; n < NR; n++)
                        UNROLL for (int m = 0; m < MR; m++) s[m][n] = y0 ? sum[n * g.out + m] : V{};
                    micro_kernel<false, NR, MR>(s, w, few ? x0 + ky * g.row + i : g.packed_x + (ky * g.x_wide + kx) * NR,
                                                NEXT, g.packed_d + j * pixels, NEXT);
                    UNROLL for (int n = 0; n < NR; n++)
                        UNROLL for (int m = 0; m < MR; m++) sum[n * g.out + m] = s[m][n];
                }
        });
    });
}

// By channels: adds one example's gradient, as floats, to part [ky][kx][in][out].
static void filter_gradient_by_channels(const FilterGradient& g, int64_t high, float* part) {
    const int64_t J = g.out / LANES, row = g.row * LANES;
    each_constant_panel<CHANNELS_NR>(J, [&](int64_t j, auto n) {
        constexpr int NR = n, MR = LANES == 16 ? (NR == 1 ? 14 : NR == 2 ? 12 : NR == 3 ? 8 : 6) : NR == 1 ? 10 : 6;
        for (int64_t ky = 0; ky < g.kernel; ky++)
            each_constant_panel<MR>(g.kernel * g.in, [&](int64_t t, auto m) {
                constexpr int M = m;
                V s[M][NR]{};
                const Window w{high, g.wide, g.d_row, g.d_step, g.stride * row, g.stride * g.in};
                micro_kernel<true, NR, M>(s, w, g.d + j, NEXT, (const float*)g.x + ky * row + t, NEXT);
                float* to = part + (ky * g.kernel * g.in + t) * g.out + j * LANES;
                UNROLL for (int u = 0; u < M; u++)
                    UNROLL for (int k = 0; k < NR; k++) {
                        const V sum = unaligned(to + u * g.out + k * LANES) + s[u][k];
                        std::memcpy(to + u * g.out + k * LANES, &sum, sizeof sum);
                    }
            });
    });
}

}  // namespace LANES_SET
