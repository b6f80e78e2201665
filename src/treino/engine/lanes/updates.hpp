// The optimizers' updates of vectors of weights, as torch has them, and what they read in one step.
#pragma once
#include "border.hpp"
#include "products.hpp"

namespace LANES_SET {

struct Numbers {  // see UpdateNumbers in optim.py; a lane for each member
    V decay, momentum, less_beta1, beta2, less_beta2, eps, clip;       // of the whole run
    V descent, step_size, correction, shrink, ema_share;               // of a step
    VI moving, averaging;                                              // −1 where there is momentum, an average
};

struct State {  // a block's weights and what is kept for each; g and average may be null
    V *p, *g, *m, *v, *average;
};

// Always with decay, clip and momentum as multiplications: a member must not feel that a neighbour has one.
template <int32_t OPTIMIZER>
INLINE void update(const State& s, int64_t i, V g, const Numbers& n, bool nesterov) {
    V p = s.p[i];
    if constexpr (OPTIMIZER != ADAMW) g = fma(p, n.decay, g);
    if constexpr (OPTIMIZER == SGD) {  // v ← μ v + g; p ← p − lr v, Nesterov: p ← p − lr (g + μ v)
        V velocity = flushed(fma(s.m[i], n.momentum, g));
        V way = nesterov ? fma(velocity, n.momentum, g) : velocity;
        s.m[i] = n.moving ? velocity : s.m[i];
        p = fma(n.moving ? way : g, n.descent, p);
    } else {  // Kingma & Ba 2015, algorithm 1, with ε outside the corrected root
        if constexpr (OPTIMIZER == ADAMW) p *= n.shrink;
        V m = flushed(fma(g - s.m[i], n.less_beta1, s.m[i]));
        V r = magnitude(g) < 0x1p-63f ? splat(0.f) : g;  // its square is then 0, or at least 2^-126
        V v = flushed(fma(r * r, n.less_beta2, s.v[i] * n.beta2));
        s.m[i] = m;
        s.v[i] = v;
        p = fma(m / fma(root(v), n.correction, n.eps), n.step_size, p);
    }
    s.p[i] = p = flushed(p);
    if (s.average) {
        const V average = s.average[i];
        s.average[i] = n.averaging ? flushed(fma(p - average, n.ema_share, average)) : p;
    }
}

// function(constant) is called with the optimizer as a type's value.
template <class Function> INLINE void with_optimizer(int32_t optimizer, const Function& function) {
    if (optimizer == SGD) return function(Constant<SGD>());
    if (optimizer == ADAM) return function(Constant<ADAM>());
    return function(Constant<ADAMW>());
}

// The rows of the next batch, fetched while this one is computed: a few lines of the cache after each tile.
struct NextRows {
    const float* x_ND;
    const int64_t* index;
    int64_t rows, D;
    int64_t lines;  // at a time
    int64_t row, column;
    INLINE_MEMBER void fetch_some() {
        for (int64_t i = 0; i < lines && row < rows; i++) {
            __builtin_prefetch(x_ND + index[row] * D + column, 0, 2);
            if (column += 16; column >= D) column = 0, row++;
        }
    }
};

// An epilogue: a tile of the last rows' gradient goes into the update while it is at hand.
template <int32_t OPTIMIZER> struct Update {
    State state;
    const Numbers* numbers;
    Matrix weights;  // of which state.p is the first
    bool nesterov;
    NextRows* next;  // or null
    template <int TILE_N, int TILE_M>
    INLINE_MEMBER void store(const V (&sum)[TILE_M][TILE_N], int64_t m, int64_t n) const {
        const int64_t first = weights.of(m, n, TILE_N) - state.p, step = weights.step(TILE_N);
        for (int u = 0; u < TILE_M; u++)
            for (int i = 0; i < TILE_N; i++) {
                const int64_t at = first + u * step + i;
                if (state.g) state.g[at] = sum[u][i];
                update<OPTIMIZER>(state, at, sum[u][i], *numbers, nesterov);
            }
        if (next) next->fetch_some();
    }
};

}  // namespace LANES_SET
