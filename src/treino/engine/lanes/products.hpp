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

//
// The columns j go in panels of at most TILE_J. A matrix in panels has one panel's rows after the other's, each
// without gaps: what goes through the registers together lies together. Where one panel holds all j there is
// no difference.
struct Matrix {
    V* at;
    int64_t row;   // from one row to the next, in vectors; 0: all rows are the same one
    int64_t rows;  // in panels of so many rows; 0: not in panels
    // Row r of the panel of so many columns that begins at j, and the way to the next row.
    INLINE_MEMBER V* of(int64_t r, int64_t j, int64_t wide) const {
        return at + (rows ? j * rows + r * wide : r * row + j);
    }
    INLINE_MEMBER int64_t step(int64_t wide) const { return rows ? wide : row; }
};

enum Order { PLAIN, PANELS, COLUMNS };  // of a: rows of J; in panels; columns of R, by their stride

struct Operands {
    int64_t J, T, R;
    const V* a;
    int64_t a_stride;  // from r to r, or in COLUMNS from j to j; in vectors
    const void* b;
    int64_t b_r, b_t;  // strides, in vectors, or floats where these are spread
    Matrix start;      // [T][J], or nothing
};

// f(first column, how many) for each panel; their widths differ by one at most.
template <class Function> INLINE void each_panel(int64_t J, const Function& f) {
    const int64_t panels = (J + TILE_J - 1) / TILE_J;
    for (int64_t i = 0; i < panels; i++) f(J * i / panels, J * (i + 1) / panels - J * i / panels);
}

// SPREAD: b is floats. then(values [TN][JN], t, j): what becomes of a tile.
template <bool SPREAD, Order A, int JN, int TN, class Then>
INLINE void tile(const Operands& o, int64_t j, int64_t t, const Then& then) {
    V sum[TN][JN];
    const V* start = o.start.at ? o.start.of(t, j, JN) : nullptr;
    const int64_t start_t = o.start.step(JN);
    UNROLL for (int u = 0; u < TN; u++)
        UNROLL for (int i = 0; i < JN; i++) sum[u][i] = start ? start[u * start_t + i] : splat(0.f);
    const int64_t a_j = A == COLUMNS ? o.a_stride : 1, a_r = A == COLUMNS ? 1 : A == PANELS ? JN : o.a_stride;
    const int64_t b_r = o.b_r, b_t = o.b_t;
    const V* a = A == PANELS ? o.a + j * o.R : o.a + j * a_j;
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

template <bool SPREAD, Order A, int JN, int TN, class Then>
INLINE void tile_of(const Operands& o, int64_t j, int64_t t, int64_t wanted, const Then& then) {
    if (wanted == TN) tile<SPREAD, A, JN, TN>(o, j, t, then);
    else if constexpr (TN > 1) tile_of<SPREAD, A, JN, TN - 1>(o, j, t, wanted, then);
}

template <bool SPREAD, Order A, int JN, class Then>
static void panel(const Operands& o, int64_t j, const Then& then) {
    const int64_t tiles = (o.T + TILE_T - 1) / TILE_T;  // of heights that differ by one at most
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t t = o.T * i / tiles;
        tile_of<SPREAD, A, JN, TILE_T>(o, j, t, o.T * (i + 1) / tiles - t, then);
    }
}

template <bool SPREAD, Order A, int JN, class Then>
INLINE void panel_of(const Operands& o, int64_t j, int64_t wanted, const Then& then) {
    if (wanted == JN) panel<SPREAD, A, JN>(o, j, then);
    else if constexpr (JN > 1) panel_of<SPREAD, A, JN - 1>(o, j, wanted, then);
}

template <bool SPREAD, Order A, class Then> static void product(const Operands& o, const Then& then) {
    each_panel(o.J, [&](int64_t j, int64_t wide) { panel_of<SPREAD, A, TILE_J>(o, j, wide, then); });
}

// ---- what becomes of a tile

struct Keep {  // out[t][j] ← value
    Matrix out;
    template <int JN, int TN> INLINE_MEMBER void tile(const V (&sum)[TN][JN], int64_t t, int64_t j) const {
        V* to = out.of(t, j, JN);
        const int64_t step = out.step(JN);
        UNROLL for (int u = 0; u < TN; u++)
            UNROLL for (int i = 0; i < JN; i++) to[u * step + i] = sum[u][i];
    }
};

struct KeepPositive {  // ReLU; NaN stays
    V* out;
    int64_t row;
    template <int JN, int TN> INLINE_MEMBER void tile(const V (&sum)[TN][JN], int64_t t, int64_t j) const {
        UNROLL for (int u = 0; u < TN; u++)
            UNROLL for (int i = 0; i < JN; i++)
                out[(t + u) * row + j + i] = sum[u][i] < 0.f ? splat(0.f) : sum[u][i];
    }
};

struct KeepWherePositive {  // ReLU's derivative: 0 where h is
    V* out;
    const V* h;
    int64_t row;
    template <int JN, int TN> INLINE_MEMBER void tile(const V (&sum)[TN][JN], int64_t t, int64_t j) const {
        UNROLL for (int u = 0; u < TN; u++)
            UNROLL for (int i = 0; i < JN; i++) {
                const int64_t at = (t + u) * row + j + i;
                out[at] = h[at] <= 0.f ? splat(0.f) : sum[u][i];
            }
    }
};

}  // namespace LANES_SET
