// A row's loss and its derivative by the outputs: of many members at one row, or of one member at many rows.
#pragma once
#include "border.hpp"
#include "functions.hpp"

namespace LANES_SET {

// The targets of a row: floats that all lanes share, or vectors. Cross-entropy: (smoothed, weighted) shares,
// over the number of the batch's rows or the sum of their weights; mass: their sum.
template <bool SHARED> struct Target {
    const void* at;
    V mass;
    INLINE_MEMBER V operator[](int64_t c) const { return SHARED ? splat(((const float*)at)[c]) : ((const V*)at)[c]; }
};

// d ← the softmax of z; -> log Σ e^z, by the largest z.
INLINE V softmax(const V* z, V* d, int64_t C) {
    V most = z[0], sum = splat(0.f);
    for (int64_t c = 1; c < C; c++) most = z[c] > most ? z[c] : most;
    for (int64_t c = 0; c < C; c++) sum += d[c] = exponential(z[c] - most);
    V over = 1.f / sum;
    for (int64_t c = 0; c < C; c++) d[c] *= over;
    return most + logarithm(sum);
}

// -> −Σ t log p; d ← p Σt − t.
template <bool SHARED> INLINE V cross_entropy(const V* z, V* d, int64_t C, const Target<SHARED>& t) {
    V most = z[0], sum = splat(0.f), loss = splat(0.f);
    for (int64_t c = 1; c < C; c++) most = z[c] > most ? z[c] : most;
    for (int64_t c = 0; c < C; c++) sum += d[c] = exponential(z[c] - most);
    V log_sum = logarithm(sum), share = t.mass / sum;
    for (int64_t c = 0; c < C; c++) {
        loss = fma(t[c], log_sum - (z[c] - most), loss);
        d[c] = fma(d[c], share, -t[c]);
    }
    return loss;
}

// Of softmax(z), a fault of learners; q: C vectors of room. Through the first softmax: q (d − Σ d q).
template <bool SHARED>
INLINE V cross_entropy_of_softmax(const V* z, V* d, V* q, int64_t C, const Target<SHARED>& t) {
    softmax(z, q, C);
    V loss = cross_entropy(q, d, C, t), inner = splat(0.f);
    for (int64_t c = 0; c < C; c++) inner = fma(d[c], q[c], inner);
    for (int64_t c = 0; c < C; c++) d[c] = q[c] * (d[c] - inner);
    return loss;
}

// Sums over outputs; the mean is taken later. share: one over the batch's rows times its outputs.
template <bool SHARED>
INLINE V by_output(int32_t kind, const V* z, V* d, int64_t C, const Target<SHARED>& t, float share) {
    V loss = splat(0.f), zero = splat(0.f);
    for (int64_t c = 0; c < C; c++) {
        V y = t[c], e = z[c] - y;
        if (kind == BCE) {  // (1 − y) z − log sigmoid(z), which neither overflows nor cancels
            V lost = logarithm_of_one_and(exponential(-magnitude(z[c])));
            loss += z[c] * (1.f - y) - ((z[c] < 0.f ? z[c] : zero) - lost);
            d[c] = (logistic(z[c]) - y) * share;
        } else if (kind == MSE) {
            loss = fma(e, e, loss);
            d[c] = e * (2.f * share);
        } else if (kind == L1) {
            loss += magnitude(e);
            d[c] = e > 0.f ? splat(share) : e < 0.f ? splat(-share) : e * share;
        } else {  // Huber's: with k = clamp(e, −1, 1), loss k (e − k/2), derivative k
            V k = e < -1.f ? splat(-1.f) : e > 1.f ? splat(1.f) : e;
            loss = fma(k, e - k * 0.5f, loss);
            d[c] = k * share;
        }
    }
    return loss;
}

}  // namespace LANES_SET
