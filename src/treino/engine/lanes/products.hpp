// The one product that all three passes are made of, in tiles of registers:
//
//     out[t][j] = start[t][j] + Σ_r a[r][j] b[r][t],   r from 0 on, one accumulator each, fused multiply-adds
//
// forward: j output, t row, r input;  down: j input, t row, r output;  gradient: j output, t input, r row.
// a is vectors; b is vectors, or floats of which each is spread over a vector. So every number has the same
// sum in the same order, whatever the lanes hold and however the tiles lie: that is where the same bits
// come from.
#pragma once
#include "vectors.hpp"

namespace LANES_SET {

struct Operands {
    int64_t J, T, R;
    const V* a;
    int64_t a_r, a_j;  // strides, in vectors
    const void* b;
    int64_t b_r, b_t;  // strides, in vectors, or floats where these are spread
    const V* start;    // [T][J] by stride, or null
    int64_t start_t;
};

// SPREAD: b is floats. DENSE: a_j is 1. then(values [TN][JN], t, j): what becomes of a tile.
template <bool SPREAD, bool DENSE, int JN, int TN, class Then>
INLINE void tile(const Operands& o, int64_t j, int64_t t, const Then& then) {
    V sum[TN][JN];
    UNROLL for (int u = 0; u < TN; u++)
        UNROLL for (int i = 0; i < JN; i++)
            sum[u][i] = o.start ? o.start[(t + u) * o.start_t + j + i] : splat(0.f);
    const int64_t a_j = DENSE ? 1 : o.a_j, a_r = o.a_r, b_r = o.b_r, b_t = o.b_t;
    const V* a = o.a + j * a_j;
    const V* b_vectors = (const V*)o.b + t * b_t;
    const float* b_floats = (const float*)o.b + t * b_t;
    for (int64_t r = 0; r < o.R; r++) {
        V left[JN];
        UNROLL for (int i = 0; i < JN; i++) left[i] = a[i * a_j];
        UNROLL for (int u = 0; u < TN; u++) {
            V right = SPREAD ? splat(b_floats[u * b_t]) : b_vectors[u * b_t];
            UNROLL for (int i = 0; i < JN; i++) sum[u][i] = fma(left[i], right, sum[u][i]);
        }
        a += a_r;
        if (SPREAD) b_floats += b_r; else b_vectors += b_r;
    }
    then.template tile<JN, TN>(sum, t, j);
}

template <bool SPREAD, bool DENSE, int JN, int TN, class Then>
INLINE void tile_of(const Operands& o, int64_t j, int64_t t, int64_t wanted, const Then& then) {
    if (wanted == TN) tile<SPREAD, DENSE, JN, TN>(o, j, t, then);
    else if constexpr (TN > 1) tile_of<SPREAD, DENSE, JN, TN - 1>(o, j, t, wanted, then);
}

template <bool SPREAD, bool DENSE, int JN, class Then>
static void panel(const Operands& o, int64_t j, const Then& then) {
    const int64_t tiles = (o.T + TILE_T - 1) / TILE_T;  // of heights that differ by one at most
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t t = o.T * i / tiles;
        tile_of<SPREAD, DENSE, JN, TILE_T>(o, j, t, o.T * (i + 1) / tiles - t, then);
    }
}

template <bool SPREAD, bool DENSE, int JN, class Then>
INLINE void panel_of(const Operands& o, int64_t j, int64_t wanted, const Then& then) {
    if (wanted == JN) panel<SPREAD, DENSE, JN>(o, j, then);
    else if constexpr (JN > 1) panel_of<SPREAD, DENSE, JN - 1>(o, j, wanted, then);
}

template <bool SPREAD, bool DENSE, class Then> static void product(const Operands& o, const Then& then) {
    const int64_t panels = (o.J + TILE_J - 1) / TILE_J;
    for (int64_t i = 0; i < panels; i++) {
        const int64_t j = o.J * i / panels;
        panel_of<SPREAD, DENSE, TILE_J>(o, j, o.J * (i + 1) / panels - j, then);
    }
}

// ---- what becomes of a tile

struct Keep {  // out[t][j] ← value
    V* out;
    int64_t out_t;
    template <int JN, int TN> INLINE_MEMBER void tile(const V (&sum)[TN][JN], int64_t t, int64_t j) const {
        UNROLL for (int u = 0; u < TN; u++)
            UNROLL for (int i = 0; i < JN; i++) out[(t + u) * out_t + j + i] = sum[u][i];
    }
};

struct KeepPositive {  // ReLU; NaN stays
    V* out;
    int64_t out_t;
    template <int JN, int TN> INLINE_MEMBER void tile(const V (&sum)[TN][JN], int64_t t, int64_t j) const {
        UNROLL for (int u = 0; u < TN; u++)
            UNROLL for (int i = 0; i < JN; i++)
                out[(t + u) * out_t + j + i] = sum[u][i] < 0.f ? splat(0.f) : sum[u][i];
    }
};

struct KeepWherePositive {  // ReLU's derivative: 0 where h is
    V* out;
    const V* h;
    int64_t out_t;
    template <int JN, int TN> INLINE_MEMBER void tile(const V (&sum)[TN][JN], int64_t t, int64_t j) const {
        UNROLL for (int u = 0; u < TN; u++)
            UNROLL for (int i = 0; i < JN; i++) {
                const int64_t at = (t + u) * out_t + j + i;
                out[at] = h[at] <= 0.f ? splat(0.f) : sum[u][i];
            }
    }
};

}  // namespace LANES_SET
