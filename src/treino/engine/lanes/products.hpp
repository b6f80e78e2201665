// The one matrix product that all three passes are made of, in tiles of registers:
//
//     C[m][n] = C0[m][n] + Σ_k A[m][k] B[k][n],   k from 0 on, one accumulator each, fused multiply-adds
//
//             M: rows         N: columns, vectors    K: summed over
//  forward    examples        outputs                inputs
//  down       examples        inputs                 outputs
//  gradient   inputs          outputs                examples
//
// B and C are vectors. A is vectors, or floats of which each is broadcast over a vector. So every number has the
// same sum in the same order, whatever the lanes hold, however the tiles lie and whoever computes them: that is
// where the same bits come from.
//
// The columns go in panels of at most NR vectors, the rows of a panel in tiles of at most MR: the micro-kernel
// keeps a tile of C in registers while it goes through k, and hands it to an epilogue.
#pragma once
#include "team.hpp"
#include "vectors.hpp"

namespace LANES_SET {

// A matrix that is packed has one panel's rows after the other's, each without gaps: what goes through the
// registers together lies together. Where one panel holds all columns there is no difference.
struct Matrix {
    V* at;
    int64_t row;   // from one row to the next, in vectors; 0: all rows are the same one
    int64_t rows;  // of a packed one; 0: it isn't packed
    // Row m of the panel of nr columns that begins at n, and the way to the next row.
    INLINE_MEMBER V* of(int64_t m, int64_t n, int64_t nr) const {
        return at + (rows ? n * rows + m * nr : m * row + n);
    }
    INLINE_MEMBER int64_t step(int64_t nr) const { return rows ? nr : row; }
};

enum Layout { ROWS, PACKED, COLUMNS };  // of B: its rows, by their stride; packed; its columns, by their stride

struct Product {
    int64_t M, N, K;
    const void* A;
    int64_t a_m, a_k;  // strides, in vectors, or floats where these are broadcast
    const V* B;
    int64_t b_stride;  // in vectors
    Matrix C0;         // or nothing
};

INLINE int64_t panels_of(int64_t N) { return (N + NR - 1) / NR; }
INLINE int64_t tiles_of(int64_t M) { return (M + MR - 1) / MR; }

// f(first column, how many) for each panel; their widths differ by one at most.
template <class Function> INLINE void each_panel(int64_t N, const Function& f) {
    const int64_t panels = panels_of(N);
    for (int64_t i = 0; i < panels; i++) f(N * i / panels, N * (i + 1) / panels - N * i / panels);
}

// f(first column, how many, rows) for what a rank has of each panel: all tiles of all panels are shared out.
template <class Function> INLINE void each_part(const Rank& rank, int64_t M, int64_t N, const Function& f) {
    if (rank.ranks == 1)  // without the divisions below, which tiny networks feel
        return each_panel(N, [&](int64_t n, int64_t width) { f(n, width, Range{0, M}); });
    const int64_t panels = panels_of(N), tiles = tiles_of(M);
    const Range mine = rank.share(panels * tiles);
    for (int64_t i = mine.begin; i < mine.end;) {
        const int64_t panel = i / tiles, first = i % tiles;
        const int64_t left = mine.end - i, count = tiles - first < left ? tiles - first : left;
        const int64_t n = N * panel / panels;
        f(n, N * (panel + 1) / panels - n, Range{M * first / tiles, M * (first + count) / tiles});
        i += count;
    }
}

template <bool BROADCAST, Layout LAYOUT, int TILE_N, int TILE_M, class Epilogue>
INLINE void micro_kernel(const Product& p, int64_t n, int64_t m, const Epilogue& epilogue) {
    V sum[TILE_M][TILE_N];
    const V* c0 = p.C0.at ? p.C0.of(m, n, TILE_N) : nullptr;
    const int64_t c0_m = p.C0.step(TILE_N);
    UNROLL for (int u = 0; u < TILE_M; u++)
        UNROLL for (int i = 0; i < TILE_N; i++) sum[u][i] = c0 ? c0[u * c0_m + i] : splat(0.f);
    const int64_t b_n = LAYOUT == COLUMNS ? p.b_stride : 1;
    const int64_t b_k = LAYOUT == COLUMNS ? 1 : LAYOUT == PACKED ? TILE_N : p.b_stride;
    const int64_t a_k = p.a_k, a_m = p.a_m;
    const V* b = LAYOUT == PACKED ? p.B + n * p.K : p.B + n * b_n;
    const V* a_vectors = (const V*)p.A + m * a_m;
    const float* a_floats = (const float*)p.A + m * a_m;
    for (int64_t k = 0; k < p.K; k++) {
        V right[TILE_N];
        UNROLL for (int i = 0; i < TILE_N; i++) right[i] = b[i * b_n];
        UNROLL for (int u = 0; u < TILE_M; u++) {
            V left = BROADCAST ? splat(a_floats[u * a_m]) : a_vectors[u * a_m];
            UNROLL for (int i = 0; i < TILE_N; i++) sum[u][i] = fma(right[i], left, sum[u][i]);
        }
        b += b_k;
        if (BROADCAST) a_floats += a_k; else a_vectors += a_k;
    }
    epilogue.template store<TILE_N, TILE_M>(sum, m, n);
}

template <bool BROADCAST, Layout LAYOUT, int TILE_N, int TILE_M, class Epilogue>
INLINE void tile(const Product& p, int64_t n, int64_t m, int64_t height, const Epilogue& epilogue) {
    if (height == TILE_M) micro_kernel<BROADCAST, LAYOUT, TILE_N, TILE_M>(p, n, m, epilogue);
    else if constexpr (TILE_M > 1) tile<BROADCAST, LAYOUT, TILE_N, TILE_M - 1>(p, n, m, height, epilogue);
}

template <bool BROADCAST, Layout LAYOUT, int TILE_N, class Epilogue>
static void panel_of_width(const Product& p, int64_t n, Range rows, const Epilogue& epilogue) {
    const int64_t M = rows.end - rows.begin, tiles = tiles_of(M);  // of heights that differ by one at most
    for (int64_t i = 0; i < tiles; i++) {
        const int64_t m = M * i / tiles, height = M * (i + 1) / tiles - m;
        tile<BROADCAST, LAYOUT, TILE_N, MR>(p, n, rows.begin + m, height, epilogue);
    }
}

// These rows of the panel of `width` columns that begins at n.
template <bool BROADCAST, Layout LAYOUT, int TILE_N = NR, class Epilogue>
INLINE void panel(const Product& p, int64_t n, int64_t width, Range rows, const Epilogue& epilogue) {
    if (width == TILE_N) panel_of_width<BROADCAST, LAYOUT, TILE_N>(p, n, rows, epilogue);
    else if constexpr (TILE_N > 1) panel<BROADCAST, LAYOUT, TILE_N - 1>(p, n, width, rows, epilogue);
}

// ---- epilogues: what becomes of a tile of C

struct Store {  // C ← the sums
    Matrix C;
    template <int TILE_N, int TILE_M>
    INLINE_MEMBER void store(const V (&sum)[TILE_M][TILE_N], int64_t m, int64_t n) const {
        V* to = C.of(m, n, TILE_N);
        const int64_t step = C.step(TILE_N);
        UNROLL for (int u = 0; u < TILE_M; u++)
            UNROLL for (int i = 0; i < TILE_N; i++) to[u * step + i] = sum[u][i];
    }
};

struct StoreRelu {  // NaN stays
    V* C;
    int64_t row;
    template <int TILE_N, int TILE_M>
    INLINE_MEMBER void store(const V (&sum)[TILE_M][TILE_N], int64_t m, int64_t n) const {
        UNROLL for (int u = 0; u < TILE_M; u++)
            UNROLL for (int i = 0; i < TILE_N; i++)
                C[(m + u) * row + n + i] = sum[u][i] < 0x1p-126f ? splat(0.f) : sum[u][i];
    }
};

struct StoreReluDerivative {  // 0 where h is
    V* C;
    const V* h;
    int64_t row;
    template <int TILE_N, int TILE_M>
    INLINE_MEMBER void store(const V (&sum)[TILE_M][TILE_N], int64_t m, int64_t n) const {
        UNROLL for (int u = 0; u < TILE_M; u++)
            UNROLL for (int i = 0; i < TILE_N; i++) {
                const int64_t at = (m + u) * row + n + i;
                C[at] = h[at] <= 0.f ? splat(0.f) : sum[u][i];
            }
    }
};

}  // namespace LANES_SET
