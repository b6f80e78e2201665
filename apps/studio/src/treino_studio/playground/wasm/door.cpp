// The library's door in a web page: the functions of the one instruction set of WebAssembly, and loops over pixels
// and rows that would be slow in JavaScript.
#include <cmath>
#include <cstdlib>
#include <random>

#include "border.hpp"
#include "random.hpp"
#include "vectors.hpp"

extern "C" const Library* treino_lanes_wasm();

#define EXPORT extern "C" __attribute__((visibility("default"), used))

static const Library& library() { return *treino_lanes_wasm(); }
static const int32_t GO = 0;

// The hash of what this was built from, by which tools/wasm.py knows whether it is of these sources.
EXPORT const char* sources() { return LANES_SOURCES; }

EXPORT void* allocate(int32_t bytes) { return std::aligned_alloc(64, (size_t)(bytes + 63) / 64 * 64); }
EXPORT void release(void* memory) { std::free(memory); }

EXPORT Trainer* open_trainer(const Network* net, const int32_t* hash, int32_t rows, int32_t units) {
    return library().open(net, hash, rows, units, 1);
}
EXPORT void close_trainer(Trainer* trainer) { library().close(trainer); }
EXPORT int32_t train(Trainer* trainer, const Members* members, const Steps* steps) {
    *members->next = 0;
    return library().train(trainer, 0, members, steps, &GO);
}
EXPORT int32_t outputs(Trainer* trainer, const Members* members, const float* x_ND, int32_t rows, float* z_RNC) {
    *members->next = 0;
    return library().outputs(trainer, 0, members, x_ND, rows, z_RNC, &GO);
}
EXPORT void map(int32_t function, const float* x, float* y, int32_t count) { library().map(function, x, y, count); }

// The rounding of p + c to odd, of two doubles each (Boldo & Melquiond 2008): what is lost shows in the last bit.
static __attribute__((noinline)) v128_t rounded_to_odd(v128_t p, v128_t c) {
    const v128_t s = wasm_f64x2_add(p, c), t = wasm_f64x2_sub(s, c), u = wasm_f64x2_sub(s, t);
    const v128_t e = wasm_f64x2_add(wasm_f64x2_sub(p, t), wasm_f64x2_sub(c, u)), zero = wasm_f64x2_splat(0);
    const v128_t lost = wasm_v128_or(wasm_f64x2_lt(e, zero), wasm_f64x2_gt(e, zero));
    const v128_t inwards = wasm_v128_xor(wasm_f64x2_lt(e, zero), wasm_f64x2_lt(s, zero));  // -1: towards 0
    const v128_t even = wasm_i64x2_eq(wasm_v128_and(s, wasm_i64x2_splat(1)), wasm_i64x2_splat(0));
    const v128_t way = wasm_v128_or(inwards, wasm_i64x2_splat(1));  // -1 or 1
    return wasm_i64x2_add(s, wasm_v128_and(way, wasm_v128_and(lost, even)));
}

// In doubles the product is exact. The sum, rounded to a double and then to a float, may only be wrong where the
// double looks like a tie between two floats; there it is rounded to odd first.
EXPORT v128_t emulated_fma(v128_t va, v128_t vb, v128_t vc) {
    const auto high = [](v128_t x) { return wasm_f64x2_promote_low_f32x4(wasm_i32x4_shuffle(x, x, 2, 3, 2, 3)); };
    const v128_t p0 = wasm_f64x2_mul(wasm_f64x2_promote_low_f32x4(va), wasm_f64x2_promote_low_f32x4(vb));
    const v128_t p1 = wasm_f64x2_mul(high(va), high(vb));
    const v128_t c0 = wasm_f64x2_promote_low_f32x4(vc), c1 = high(vc);
    v128_t s0 = wasm_f64x2_add(p0, c0), s1 = wasm_f64x2_add(p1, c1);
    const v128_t low = wasm_i64x2_splat(0x1fffffff), tie = wasm_i64x2_splat(0x10000000);
    const v128_t ties = wasm_v128_or(wasm_i64x2_eq(wasm_v128_and(s0, low), tie), wasm_i64x2_eq(wasm_v128_and(s1, low), tie));
    if (__builtin_expect(wasm_v128_any_true(ties), 0)) s0 = rounded_to_odd(p0, c0), s1 = rounded_to_odd(p1, c1);
    return wasm_i32x4_shuffle(wasm_f32x4_demote_f64x2_zero(s0), wasm_f32x4_demote_f64x2_zero(s1), 0, 1, 4, 5);
}

// Whether the browser rounds a b + c once, numbers below 2^-126 too: relaxed instructions may also round twice.
// (1 + 2^-12)² − 1 keeps its 2^-24 only then.
EXPORT int32_t fused() {
    volatile float a = 1.f + 0x1p-12f, c = -1.f, tiny = 0x1p-140f, one = 1.f;
    const auto of = [](float a, float b, float c) {
        return LANES_SET::fma(LANES_SET::splat(a), LANES_SET::splat(b), LANES_SET::splat(c))[0];
    };
    return of(a, a, c) == 0x1p-11f + 0x1p-24f && of(tiny, one, tiny) == 0x1p-139f;
}

// Each element's number for dropout, as element_hash in rng.py has it.
EXPORT void element_hashes(int32_t* hash, int32_t count) {
    for (int32_t i = 0; i < count; i++) hash[i] = (int32_t)LANES_SET::mix((uint64_t)i + 0x9E3779B9u);
}

// torch.randperm of fewer than 2^32 / 20 rows, by a generator with this seed.
EXPORT void permutation(uint32_t seed, int32_t n, int32_t* order) {
    std::mt19937 generator(seed);
    for (int32_t i = 0; i < n; i++) order[i] = i;
    for (int32_t i = 0; i < n - 1; i++) std::swap(order[i], order[i + generator() % (uint32_t)(n - i)]);
}

// ---- pictures of one network

// to [rows] += w [J] x [J][rows]. For pictures: sums round as they like.
static void add_inputs(const float* w, const float* x, float* to, int32_t rows, int32_t J) {
    using LANES_SET::V;
    constexpr int32_t BLOCK = 4 * LANES_SET::LANES;
    int32_t i = 0;
    for (; i + BLOCK <= rows; i += BLOCK) {
        V sum[4];
        for (int32_t k = 0; k < 4; k++) sum[k] = LANES_SET::unaligned(to + i + k * LANES_SET::LANES);
        for (int32_t j = 0; j < J; j++) {
            const V each = LANES_SET::splat(w[j]);
            const float* from = x + (size_t)j * rows + i;
            for (int32_t k = 0; k < 4; k++) sum[k] = sum[k] + each * LANES_SET::unaligned(from + k * LANES_SET::LANES);
        }
        for (int32_t k = 0; k < 4; k++) LANES_SET::put_unaligned(to + i + k * LANES_SET::LANES, sum[k], LANES_SET::LANES);
    }
    for (; i < rows; i++)
        for (int32_t j = 0; j < J; j++) to[i] += w[j] * x[(size_t)j * rows + i];
}

static void fill(float* to, float b, int32_t rows) {
    for (int32_t i = 0; i < rows; i++) to[i] = b;
}

// y [U][rows] = W [U][J] x [J][rows] + b.
EXPORT void layer(const float* W, const float* b, const float* x, float* y, int32_t rows, int32_t J, int32_t U) {
    for (int32_t u = 0; u < U; u++, y += rows) {
        fill(y, b[u], rows);
        add_inputs(W + (size_t)u * J, x, y, rows, J);
    }
}

// y [U][high][wide][rows] = W [U][J][3][3] over x [J][high][wide][rows], with zeros around it, + b.
EXPORT void convolve(const float* W, const float* b, const float* x, float* y, int32_t rows, int32_t J, int32_t U, int32_t high, int32_t wide) {
    for (int32_t u = 0; u < U; u++)
        for (int32_t v = 0; v < high; v++)
            for (int32_t h = 0; h < wide; h++, y += rows) {
                const int32_t left = h ? 0 : 1, right = h + 1 < wide ? 3 : 2;  // of a kernel's row, what lies inside
                fill(y, b[u], rows);
                for (int32_t j = 0; j < J; j++)
                    for (int32_t k = 0; k < 3; k++) {
                        const int32_t row = v + k - 1;
                        if (row < 0 || row >= high) continue;
                        add_inputs(W + ((size_t)(u * J + j) * 3 + k) * 3 + left, x + ((size_t)(j * high + row) * wide + h - 1 + left) * rows, y, rows, right - left);
                    }
            }
}

// y [U][high / 2][wide / 2][rows]: the largest of two by two of x [U][high][wide][rows].
EXPORT void pool(const float* x, float* y, int32_t rows, int32_t U, int32_t high, int32_t wide) {
    for (int32_t u = 0; u < U; u++)
        for (int32_t v = 0; v + 1 < high; v += 2)
            for (int32_t h = 0; h + 1 < wide; h += 2) {
                const float *above = x + ((size_t)(u * high + v) * wide + h) * rows, *below = above + (size_t)wide * rows;
                for (int32_t i = 0; i < rows; i++) *y++ = std::fmax(std::fmax(above[i], above[rows + i]), std::fmax(below[i], below[rows + i]));
            }
}

// x ← activation(x).
EXPORT void activate(int32_t activation, float* x, int32_t count) {
    enum { HYPERBOLIC_TANGENT = 2, ERROR_FUNCTION = 3, LOGISTIC = 4 };  // of map
    constexpr int32_t BLOCK = 256;
    float y[BLOCK];
    for (; count > 0; count -= BLOCK, x += BLOCK) {
        const int32_t n = count < BLOCK ? count : BLOCK;
        if (activation == GELU) {
            for (int32_t i = 0; i < n; i++) y[i] = x[i] * 0.70710678f;
            map(ERROR_FUNCTION, y, y, n);
            for (int32_t i = 0; i < n; i++) x[i] *= 0.5f * (1 + y[i]);
        } else if (activation == SILU) {
            map(LOGISTIC, x, y, n);
            for (int32_t i = 0; i < n; i++) x[i] *= y[i];
        } else if (activation == TANH) map(HYPERBOLIC_TANGENT, x, x, n);
        else if (activation == SIGMOID) map(LOGISTIC, x, x, n);
        else if (activation == RELU) for (int32_t i = 0; i < n; i++) x[i] = x[i] < 0 ? 0 : x[i];
        else if (activation == LEAKY_RELU) for (int32_t i = 0; i < n; i++) x[i] = x[i] < 0 ? 0.01f * x[i] : x[i];
    }
}

static uint8_t share_byte(float share) { return (uint8_t)__builtin_rintf(share * 255.f); }

// Outputs z [C][rows] of a classifier: each row's class (255: no finite answer), its probability, and the root of its
// lead over the second class, both of 255. C 1: of two classes by one output.
EXPORT void classes_as_bytes(const float* z, int32_t rows, int32_t C, uint8_t* winner, uint8_t* share, uint8_t* margin) {
    for (int32_t i = 0; i < rows; i++) {
        float top = -INFINITY, second = -INFINITY;
        int32_t best = 0;
        bool answered = true;  // metrics.py has the rule
        for (int32_t c = 0; c < C; c++) {
            const float v = z[(size_t)c * rows + i];
            answered &= !std::isnan(v);
            if (v > top) second = top, top = v, best = c;
            else if (v > second) second = v;
        }
        answered &= C == 1 || std::isfinite(top);
        winner[i] = answered ? (C == 1 ? top > 0 : best) : 255;
        if (!answered) { share[i] = margin[i] = 0; continue; }
        float p, q;
        if (C == 1) {
            p = 1 / (1 + std::exp(-std::fabs(top)));
            q = 1 / (1 + std::exp(std::fabs(top)));
        } else {
            float sum = 0;
            for (int32_t c = 0; c < C; c++) sum += std::exp(z[(size_t)c * rows + i] - top);
            p = 1 / sum, q = std::exp(second - top) / sum;
        }
        share[i] = share_byte(p), margin[i] = share_byte(std::sqrt(p > q ? p - q : 0.f));
    }
}

// Values of units [U][cells] as bytes: 0 is 128, the largest size in each unit 1 or 255; what is not finite counts as 0.
EXPORT void units_as_bytes(const float* value, uint8_t* byte, int32_t U, int32_t cells) {
    for (int32_t u = 0; u < U; u++, value += cells, byte += cells) {
        double largest = 0;
        for (int32_t i = 0; i < cells; i++)
            if (std::isfinite(value[i]) && std::fabs(value[i]) > largest) largest = std::fabs(value[i]);
        const double scale = 127 / (largest > 0 ? largest : 1);
        for (int32_t i = 0; i < cells; i++) byte[i] = std::isfinite(value[i]) ? (uint8_t)__builtin_rint(128 + scale * value[i]) : 128;
    }
}

// What outputs [cells C] over a plane show, two bytes a cell, as the studio's pictures have them: the winning class, and
// 255 times the root of its lead over the second one's share. Of one output: 0, and its place from low to high.
// A first byte of 255: the output is no number.
EXPORT void paint(const float* z, int32_t cells, int32_t C, float low, float high, uint8_t* bytes) {
    for (int32_t i = 0; i < cells; i++, z += C, bytes += 2) {
        if (C == 1) {
            const float place = (*z - low) / (high - low);
            bytes[0] = std::isfinite(*z) ? 0 : 255;
            bytes[1] = place > 0.f ? (uint8_t)(255.f * (place < 1.f ? place : 1.f) + 0.5f) : 0;
            continue;
        }
        int32_t winner = 0;
        float second = -HUGE_VALF, sum = 0.f;
        for (int32_t c = 1; c < C; c++)
            if (z[c] > z[winner]) winner = c;
        for (int32_t c = 0; c < C; c++) {
            if (c != winner && z[c] > second) second = z[c];
            sum += c == winner ? 1.f : expf(z[c] - z[winner]);
        }
        const float lead = (1.f - expf(second - z[winner])) / sum;
        bytes[0] = lead >= 0.f ? (uint8_t)(winner < 254 ? winner : 254) : 255;
        bytes[1] = lead >= 0.f ? (uint8_t)(255.f * sqrtf(lead) + 0.5f) : 0;
    }
}

// Each row's loss by R members' outputs [R N C], and 1 where the answer is right: cross-entropy against class_N; of one
// output the squared error against target_N, where none is right.
EXPORT void judge(const float* z, int32_t R, int32_t N, int32_t C, const int64_t* class_N, const float* target_N,
                  float* loss_RN, float* right_RN) {
    for (int32_t r = 0; r < R; r++)
        for (int32_t i = 0; i < N; i++, z += C, loss_RN++, right_RN++) {
            if (C == 1) {
                *loss_RN = (*z - target_N[i]) * (*z - target_N[i]);
                *right_RN = 0.f;
                continue;
            }
            int32_t winner = 0;
            float sum = 0.f;
            for (int32_t c = 1; c < C; c++)
                if (z[c] > z[winner]) winner = c;
            for (int32_t c = 0; c < C; c++) sum += expf(z[c] - z[winner]);
            *loss_RN = logf(sum) - (z[class_N[i]] - z[winner]);
            *right_RN = winner == class_N[i] && *loss_RN == *loss_RN ? 1.f : 0.f;
        }
}
