// One step of a block, in chunks of at most S examples, which are rows:
//
//     x ─► forward, layer by layer ─► z of the last ─► losses ─► d of the last       d: the loss's derivative by z
//              W, b │                                            │
//                   ▼                                            ▼
//              value, output ◄───────── down, layer by layer ◄── d ─► gradients ─► update of W, b
//              (read again)               transposed W                   │
//                                                                        └─► clipping, gates, then update
//
// Every rank of a team goes through all of this and has a share of it: of the products the parts of C, of the losses
// some rows. Between what is written and what is read of it by others stands a barrier, rank.wait().
#pragma once
#include "losses.hpp"
#include "products.hpp"
#include "trainer.hpp"

namespace LANES_SET {

INLINE V mask(const Block& k, const Layer& a, VU hash) {
    return (VI)(hash * a.key_a + a.key_b) >= k.threshold ? k.kept_scale : splat(0.f);
}

// f(place, m, n) for each vector of a layer's part: these rows of the columns from n on.
template <class Function> INLINE void each_vector(const Layer& a, Range rows, int64_t n, int64_t width, const Function& f) {
    for (int64_t m = rows.begin; m < rows.end; m++)
        for (int64_t j = n; j < n + width; j++) f(m * a.row + j, m, j);
}

// The dropout mask of a layer's vector j; row: its number in the batch.
INLINE V mask_of(const Block& k, const Layer& a, int64_t row, int64_t j) {
    const int32_t* hash = k.hash + row * a.out;
    return mask(k, a, k.units ? (VU)unaligned(hash + j * LANES) : (VU)splat_int(hash[j]));
}

// ---- forward

// The inputs of these rows of a chunk, k.x_row apart: those that index names from s0 on; null: s0, s0 + 1, ...
static const float* inputs_of(Block& k, const Rank& rank, const float* x_ND, const int64_t* index, int64_t s0,
                              Range rows) {
    if (!index && k.x_row == k.D) return x_ND + s0 * k.D;
    float* x = k.x + rank.number * k.S * k.x_row;
    for (int64_t m = rows.begin; m < rows.end; m++)
        std::memcpy(x + m * k.x_row, x_ND + (index ? index[s0 + m] : s0 + m) * k.D, (size_t)k.D * sizeof(float));
    return x;
}

// What the layer before a hands to it, or x; floats where they are broadcast.
struct Inputs {
    const void* at;
    int64_t row;
    bool broadcast;
};

static Inputs inputs_of_layer(const Block& k, const Layer& a, const float* x) {
    if (&a == k.layer) return {x, k.x_row, true};
    const Layer& before = *(&a - 1);
    return {before.output, before.row * (k.units ? LANES : 1), k.units};
}

// These rows of a chunk, through all layers. row: the number in its batch of the chunk's first one. Whoever reads
// another rank's rows of the last layer waits first.
static void forward(Block& k, Rank& rank, const float* x, Range rows, int64_t row, bool training) {
    for (int64_t l = 0; l < k.layers; l++) {
        Layer& a = k.layer[l];
        const Inputs inputs = inputs_of_layer(k, a, x);
        const V* weights = k.gates && !l ? k.gated : k.state.p + a.w;
        const Product p{rows.end, a.J, a.in, inputs.at, inputs.row, 1, weights, a.J, {k.state.p + a.b, 0, 0}};
        const bool hidden = l + 1 < k.layers, apart = by_input(k.activation), drops = k.dropout && training;
        if (l && rank.ranks > 1) prefetch(inputs.at, (size_t)(rows.end * k.layer[l - 1].row) * sizeof(V));
        each_part(rank, rows.end - rows.begin, a.J, [&](int64_t n, int64_t width, Range part) {
            part = {rows.begin + part.begin, rows.begin + part.end};
            const auto product_into = [&](const auto& epilogue) {
                if (k.units) panel<true, PACKED>(p, n, width, part, epilogue);
                else if (inputs.broadcast) panel<true, ROWS>(p, n, width, part, epilogue);
                else panel<false, ROWS>(p, n, width, part, epilogue);
            };
            if (hidden && k.activation == RELU) product_into(StoreRelu{a.value, a.row});
            else product_into(Store{{a.value, a.row, 0}});
            if (!hidden) return;
            V* h = apart ? a.output : a.value;
            if (k.activation != RELU)
                with_activation(k.activation, [&](auto activation) {
                    each_vector(a, part, n, width, [&](int64_t at, int64_t, int64_t) {
                        h[at] = activated<decltype(activation)::value>(a.value[at]);
                    });
                });
            if (drops || a.output != h)
                each_vector(a, part, n, width, [&](int64_t at, int64_t m, int64_t j) {
                    a.output[at] = drops ? h[at] * mask_of(k, a, row + m, j) : h[at];
                });
        });
        if (hidden) rank.wait();
    }
}

// ---- losses

template <bool SHARED>
INLINE V row_loss(const Block& k, const V* z, V* d, V* q, const Target<SHARED>& t, float share) {
    if (k.loss_kind != CROSS_ENTROPY) return by_output(k.loss_kind, z, d, k.C, t, share);
    if (k.softmax_first) return cross_entropy_of_softmax(z, d, q, k.C, t);
    return cross_entropy(z, d, k.C, t);
}

// Puts these rows of a part of d, from column n on, where the gradient's product reads them: in its packed B.
INLINE void pack(const Block& k, const Layer& a, int64_t chunk, Range rows, int64_t n, int64_t width) {
    V* to = k.packed[(&a - k.layer) % 2] + n * chunk + rows.begin * width;
    each_vector(a, rows, n, width, [&](int64_t at, int64_t, int64_t) { *to++ = a.d[at]; });
}

// The last layer's d of a chunk of n rows, and their losses, which total_loss adds. share: one over all outputs;
// of rows with weights over a row's.
static void losses(Block& k, const Rank& rank, int64_t n, float share) {
    Layer& a = k.layer[k.layers - 1];
    const int64_t C = k.C;
    const bool classes = k.loss_kind == CROSS_ENTROPY;
    const auto target = [&](int64_t t) { return classes ? k.scaled + k.slot_C[k.row[t]] * C : k.target + t * C; };
    const auto mass = [&](int64_t t) { return classes ? k.scaled_mass[k.slot_C[k.row[t]]] : 0.f; };
    const int64_t together = k.units ? LANES : 1;  // units: here the lanes hold rows
    const Range mine = rank.share((n + together - 1) / together);
    const Range rows{mine.begin * together, mine.end * together < n ? mine.end * together : n};
    const bool weighs = k.weight_of[0];
    const auto weigh = [&](V& loss, V* d, V weight) {
        weight *= k.one_over;
        loss *= weight;
        for (int64_t c = 0; c < C; c++) d[c] *= weight;
    };
    V *z_C = k.scratch + 4 * C * rank.number, *d_C = z_C + C, *t_C = d_C + C, *q_C = t_C + C;
    if (!k.units) {
        for (int64_t t = rows.begin; t < rows.end; t++) {
            const Target<true> shared{target(t), splat(mass(t))};
            k.loss_S[t] = row_loss(k, a.value + t * a.row, a.d + t * a.row, q_C, shared, share);
            if (weighs) weigh(k.loss_S[t], a.d + t * a.row, k.weight_S[t]);
        }
    } else {
        const float* z = (const float*)a.value;
        float *d = (float*)a.d, *loss_S = (float*)k.loss_S;
        for (int64_t t = rows.begin; t < rows.end; t += LANES) {
            const int64_t here = n - t < LANES ? n - t : LANES;
            V all = splat(0.f), weight = splat(0.f);
            for (int64_t lane = 0; lane < LANES; lane++) {
                const int64_t row = t + (lane < here ? lane : 0);
                if (weighs) weight[lane] = ((const float*)k.weight_S)[row];
                for (int64_t c = 0; c < C; c++) {
                    z_C[c][lane] = z[row * a.row * LANES + c];
                    t_C[c][lane] = target(row)[c];
                }
                all[lane] = mass(row);
            }
            V each = row_loss(k, z_C, d_C, q_C, Target<false>{t_C, all}, share);
            if (weighs) weigh(each, d_C, weight);
            for (int64_t lane = 0; lane < here; lane++) {
                loss_S[t + lane] = each[lane];
                for (int64_t c = 0; c < C; c++) d[(t + lane) * a.row * LANES + c] = d_C[c][lane];
            }
        }
    }
    each_panel(a.J, [&](int64_t j, int64_t width) { pack(k, a, n, rows, j, width); });
}

// loss with what a chunk's rows add to it, in their order.
static V total_loss(const Block& k, int64_t n, V loss) {
    for (int64_t t = 0; t < n; t++)
        if (k.units) loss[0] += ((const float*)k.loss_S)[t]; else loss += k.loss_S[t];
    return loss;
}

// ---- backward

// A rank's share of the transposed weights, which hold units, of all layers whose inputs have a derivative.
static void transpose_weights(Block& k, const Rank& rank) {
    for (int64_t l = k.pictures ? 0 : 1; l < k.layers; l++) {
        Layer& a = k.layer[l];
        const int64_t inputs = k.layer[l - 1].J;
        const Matrix weights = weights_of(k, a, k.state.p), transposed{a.transposed, inputs, a.out};
        const auto block = [&](const V* from, int64_t step, int64_t n, V* to, int64_t to_step, int64_t lanes) {
            V m[LANES];
            for (int64_t c = 0; c < LANES; c++) {
                m[c] = c < n ? from[c * step] : V{};
                __builtin_prefetch(from + (c + LANES) * step);
            }
            transpose(m);
            for (int64_t lane = 0; lane < LANES && lane < lanes; lane++) to[lane * to_step] = m[lane];
        };
        const Range mine = rank.share(inputs);
        each_panel(a.J, [&](int64_t j0, int64_t width) {
            each_panel(inputs, [&](int64_t i0, int64_t high) {
                const int64_t begin = i0 > mine.begin ? i0 : mine.begin;
                const int64_t end = i0 + high < mine.end ? i0 + high : mine.end;
                for (int64_t j = j0; j < j0 + width; j++)
                    for (int64_t i = begin; i < end; i++)
                        block(weights.of(i * LANES, j0, width) + j - j0, width, a.in - i * LANES,
                              transposed.of(j * LANES, i0, high) + i - i0, high, a.out - j * LANES);
            });
        });
    }
}

// d of the layer before a, of a chunk of M rows, through a's weights as they are before their update.
static void down(Block& k, const Rank& rank, const Layer& a, int64_t M, int64_t row) {
    Layer& before = k.layer[&a - k.layer - 1];
    const bool features = &a == k.layer, simple = k.activation == RELU && !k.dropout && !features;
    Product p{M, before.J, a.out, a.d, a.row, 1, k.state.p + a.w, a.J, {}};
    if (k.units) p.B = a.transposed, p.a_m = a.row * LANES;
    if (rank.ranks > 1) prefetch(a.d, (size_t)(M * a.row) * sizeof(V));
    each_part(rank, M, before.J, [&](int64_t n, int64_t width, Range part) {
        const auto product_into = [&](const auto& epilogue) {
            if (k.units) panel<true, PACKED>(p, n, width, part, epilogue);
            else panel<false, COLUMNS>(p, n, width, part, epilogue);
        };
        if (simple) product_into(StoreReluDerivative{before.d, before.value, before.row});
        else {
            product_into(Store{{before.d, before.row, 0}});
            if (k.dropout)
                each_vector(before, part, n, width, [&](int64_t at, int64_t m, int64_t j) {
                    before.d[at] *= mask_of(k, before, row + m, j);
                });
            if (features) return;
            with_activation(k.activation, [&](auto activation) {
                each_vector(before, part, n, width, [&](int64_t at, int64_t, int64_t) {
                    before.d[at] = flushed(chained<decltype(activation)::value>(before.d[at], before.value[at]));
                });
            });
        }
        pack(k, before, M, part, n, width);
    });
}

// What the first layer's weights and gates make together, laid out as the weights are.
INLINE Matrix gated_matrix(const Block& k, V* first) {
    return {first, k.layer->J, k.units ? k.layer->in : 0};
}

static void multiply_gates(Block& k) {
    const Layer& a = *k.layer;
    const Matrix weights = weights_of(k, a, k.state.p), product = gated_matrix(k, k.gated);
    for (int64_t i = 0; i < a.in; i++) {
        const V factor = k.state.p[k.gate + k.column_D[i]] * k.gate_rate;
        each_panel(a.J, [&](int64_t begin, int64_t wide) {
            const V* w = weights.of(i, begin, wide);
            V* to = product.of(i, begin, wide);
            for (int64_t j = 0; j < wide; j++) to[j] = w[j] * factor;
        });
    }
}

// The gradients of a layer's weights and biases, K rows more; they go on from `from` and g where `more`.
template <class Epilogue>
static void gradients(Block& k, const Rank& rank, const Layer& a, const float* x, int64_t K, Matrix from, bool more,
                      Epilogue weights, Epilogue biases) {
    static const float one = 1.f;
    const Inputs inputs = inputs_of_layer(k, a, x);
    const V* packed = k.packed[(&a - k.layer) % 2];
    const Product p{a.in, a.J, K, inputs.at, 1, inputs.row, packed, 0, from};
    const Product sum{1, a.J, K, &one, 0, 0, packed, 0, more ? Matrix{k.state.g + a.b, 0, 0} : Matrix{}};
    each_part(rank, a.in, a.J, [&](int64_t n, int64_t width, Range part) {
        if (inputs.broadcast) panel<true, PACKED>(p, n, width, part, weights);
        else panel<false, PACKED>(p, n, width, part, weights);
        if (part.begin == 0) panel<true, PACKED>(sum, n, width, {0, 1}, biases);
    });
}

// A chunk of n rows, whose last layer has its d. row: the number of its first one in the batch. last: of the
// batch, where gradients go into the update. keep: they are kept as well. next: what is fetched meanwhile.
static void backward(Block& k, Rank& rank, const float* x, int64_t n, int64_t row, bool more, bool last, bool keep,
                     NextRows* next) {
    for (int64_t l = k.layers - 1; l >= 0; l--) {
        Layer& a = k.layer[l];
        if (l || k.pictures) down(k, rank, a, n, row);
        if (l && !k.units) rank.wait();  // it reads the weights themselves
        const bool gated = k.gates && !l;
        const Matrix g = gated ? gated_matrix(k, k.gated_d) : weights_of(k, a, k.state.g);
        const Matrix from = (gated ? row > 0 : more) ? g : Matrix{};
        if (gated || !last) {
            gradients(k, rank, a, x, n, from, more, Store{g}, Store{{k.state.g + a.b, 0, 0}});
        } else {
            State s = k.state;
            if (!keep) s.g = nullptr;
            with_optimizer(k.optimizer, [&](auto optimizer) {
                using Epilogue = Update<decltype(optimizer)::value>;
                const Epilogue weights{s, &k.numbers, weights_of(k, a, s.p), k.nesterov, l ? nullptr : next};
                gradients(k, rank, a, x, n, from, more, weights, Epilogue{s, &k.numbers, {s.p + a.b, 0, 0}, k.nesterov, nullptr});
            });
        }
        if (l) rank.wait();
    }
}

// ---- clipping and gates

// Sums of products over a layer's units: 16 of them, unit u adds to number u % 16; then these in their order. So
// the lanes may hold units, 16 / LANES vectors of sums, or members, 16 vectors.
template <bool UNITS> struct UnitSums {
    static constexpr int COUNT = UNITS ? 16 / LANES : 16;
    V sum[COUNT];
    UnitSums() { for (V& s : sum) s = splat(0.f); }
    // x y of `wide` vectors from vector j of this layer on.
    INLINE_MEMBER void add(const Layer& a, int64_t j, int64_t wide, const V* x, const V* y) {
        if (!UNITS) {
            for (int64_t at = 0; at < wide; at++) sum[(j + at) % COUNT] = fma(x[at], y[at], sum[(j + at) % COUNT]);
            return;
        }
        const int64_t whole = a.out / LANES, full = whole - j < wide ? whole - j : wide;
        UNROLL for (int i = 0; i < COUNT; i++)  // one after the other, for the registers' sake
            for (int64_t at = (i - j % COUNT + COUNT) % COUNT; at < full; at += COUNT) sum[i] = fma(x[at], y[at], sum[i]);
        if (full == wide) return;
        V last_x = x[full], last_y = y[full];  // its lanes without a unit add nothing
        for (int64_t lane = a.out % LANES; lane < LANES; lane++) last_x[lane] = last_y[lane] = 0.f;
        UNROLL for (int i = 0; i < COUNT; i++)
            if (i == (j + full) % COUNT) sum[i] = fma(last_x, last_y, sum[i]);
    }
    V total() const {
        V all = splat(0.f);
        UNROLL for (int i = 0; i < 16; i++) all += UNITS ? splat(sum[i / LANES % COUNT][i % LANES]) : sum[i % COUNT];
        return all;
    }
};

// The gradients of the first layer's weights and of the gates, out of that of their products; O(weights).
template <bool UNITS> static void gate_gradients(Block& k) {
    const Layer& a = *k.layer;
    const Matrix weights = weights_of(k, a, k.state.p), g = weights_of(k, a, k.state.g);
    const Matrix product = gated_matrix(k, k.gated_d);
    for (int64_t i = 0; i < k.gates && !k.summed; i++) k.state.g[k.gate + i] = splat(0.f);
    for (int64_t i = 0; i < a.in; i++) {
        const int64_t gate = k.gate + k.column_D[i];
        const V factor = k.state.p[gate] * k.gate_rate;
        UnitSums<UNITS> sums;
        each_panel(a.J, [&](int64_t begin, int64_t wide) {
            const V *d = product.of(i, begin, wide), *w = weights.of(i, begin, wide);
            V* to = g.of(i, begin, wide);
            sums.add(a, begin, wide, d, w);
            for (int64_t j = 0; j < wide; j++) to[j] = k.summed ? fma(d[j], factor, to[j]) : d[j] * factor;
        });
        const V along = fma(sums.total(), splat(k.gate_rate), k.state.g[gate]);
        k.state.g[gate] = k.state.p[gate] == 0.f ? k.state.g[gate] : along;  // a gate of 0 stays closed
    }
}

// What each member's gradient is scaled with, as clip_grad_norm_ does.
template <bool UNITS> static V clip_scale(const Block& k) {
    UnitSums<UNITS> sums;
    for (int64_t l = 0; l < k.layers; l++) {
        const Layer& a = k.layer[l];
        const Matrix weights = weights_of(k, a, k.state.g);
        for (int64_t i = 0; i < a.in; i++)
            each_panel(a.J, [&](int64_t begin, int64_t wide) {
                const V* g = weights.of(i, begin, wide);
                sums.add(a, begin, wide, g, g);
            });
        sums.add(a, 0, a.J, k.state.g + a.b, k.state.g + a.b);
    }
    if (k.pictures) {
        Layer filters{};
        filters.out = k.pictures->parameters;
        sums.add(filters, 0, k.size - k.filters, k.state.g + k.filters, k.state.g + k.filters);
    }
    V total = sums.total();
    for (int64_t i = k.gate; i < k.gate + k.gates; i++) total = fma(k.state.g[i], k.state.g[i], total);
    V norm = root(total) + 1e-6f;
    return norm > k.numbers.clip ? k.numbers.clip / norm : splat(1.f);
}

// The update of these weights by the gradients that are kept, scaled.
static void update_range(Block& k, Range weights, V scale) {
    with_optimizer(k.optimizer, [&](auto optimizer) {
        for (int64_t i = weights.begin; i < weights.end; i++)
            update<decltype(optimizer)::value>(k.state, i, k.state.g[i] *= scale, k.numbers, k.nesterov);
    });
}

// ---- pictures

// A step's batch: its rows' numbers, or null for all rows; how many they are; what is done to their pictures, and
// the rows that are mixed into them, as in Steps, or null.
struct Batch {
    const int64_t* index;
    int64_t rows;
    const Change* change;
    const int64_t* partner;
};

// A rank's features of these rows of a chunk, whose first one is row s0 of the batch; rows begin at a sixteen.
static const float* features_of(Block& k, const Rank& rank, const float* x_ND, const Batch& batch, int64_t s0, Range rows,
                                bool training) {
    const Pictures& p = *k.pictures;
    const int64_t numbers = p.picture.numbers();
    for (int64_t t = rows.begin; t < rows.end; t += LANES) {
        const int64_t n = rows.end - t < LANES ? rows.end - t : LANES;
        const float* picture[LANES];
        for (int64_t l = 0; l < n; l++) {
            const int64_t at = s0 + t + l;
            picture[l] = x_ND + (batch.index ? batch.index[at] : at) * numbers;
            if (!AUGMENTS || !batch.change) continue;
            const float* other = batch.partner ? x_ND + batch.partner[at] * numbers : nullptr;
            picture[l] = changed(p.picture, p.resampling[rank.number], picture[l], other, batch.change[at],
                                 p.changed + (rank.number * LANES + l) * numbers);
        }
        pictures_forward(p, (const float*)(k.state.p + k.filters), picture, t / LANES, n, rank.number, k.x + t * k.x_row,
                         k.x_row);
    }
    const Layer& features = k.layer[-1];
    V* x = (V*)k.x;
    if (k.dropout && training)
        each_vector(features, rows, 0, features.J, [&](int64_t at, int64_t m, int64_t j) { x[at] *= mask_of(k, features, s0 + m, j); });
    return k.x;
}

// A rank's sixteens among n rows, in rows.
INLINE Range sixteens_of(const Rank& rank, int64_t n) {
    const Range mine = rank.share((n + SIXTEEN - 1) / SIXTEEN);
    return {mine.begin * SIXTEEN, mine.end * SIXTEEN < n ? mine.end * SIXTEEN : n};
}

// The gradients of the convolutions' parameters, n rows more, which go on from g where `more`; their update,
// where `last`.
static void filters_backward(Block& k, Rank& rank, int64_t n, bool more, bool last) {
    const Layer& features = k.layer[-1];
    const int64_t row = features.row * LANES;
    const Range rows = sixteens_of(rank, n), mine = rank.share(k.size - k.filters);
    for (int64_t t = rows.begin; t < rows.end; t += LANES)
        pictures_backward(*k.pictures, (const float*)(k.state.p + k.filters), t / LANES,
                          rows.end - t < LANES ? rows.end - t : LANES, rank.number, (float*)features.d + t * row, row);
    rank.wait();
    add_parts(*k.pictures, n, more, (float*)(k.state.g + k.filters), mine);
    if (last) update_range(k, {k.filters + mine.begin, k.filters + mine.end}, splat(1.f));
}

// ---- a step

// x to the n by products in one order: that of the C library has other last bits on other machines.
static double power(double x, int64_t n) {
    double y = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return y;
}

struct Power {  // the last one is kept: neighbours mostly have the same β
    double x = -1, y = 0;
    double of(double x_now, int64_t n) {
        if (x_now != x) x = x_now, y = power(x, n);
        return y;
    }
};

static void prepare(Block& k, const Members& m, const Steps& steps, int64_t s) {
    Numbers& n = k.numbers;
    const int64_t update = steps.optimizer_first + s + 1;
    const double t = (double)update;
    Power powers[2];
    for (int lane = 0; lane < LANES; lane++) {
        const int64_t p = k.member[lane], other = lane ? k.member[lane - 1] : -1;
        const double lr = m.hp[LR][p] * steps.factor_KS[m.schedule_P[p] * steps.steps + s];
        n.descent[lane] = (float)-lr;
        n.shrink[lane] = (float)(1 - lr * m.hp[WEIGHT_DECAY][p]);
        n.ema_share[lane] = (float)(1 - std::fmin(m.hp[EMA][p], (1 + t) / (10 + t)));  // as ema_limit has it
        if (k.optimizer != SGD) {
            n.step_size[lane] = (float)(-lr / (1 - powers[0].of(m.hp[BETA1][p], update)));
            n.correction[lane] = (float)(1 / std::sqrt(1 - powers[1].of(m.hp[BETA2][p], update)));
        }
        const int64_t features = k.pictures ? 1 : 0;
        for (int64_t l = -features; k.dropout && l + 1 < k.layers; l++) {
            const uint64_t key = p == other ? 0 : dropout_key(m.seed_P[p], l + features, steps.first + s);
            Layer& a = k.layer[l];
            a.key_a[lane] = p == other ? a.key_a[lane - 1] : (uint32_t)(key | 1);
            a.key_b[lane] = p == other ? a.key_b[lane - 1] : (uint32_t)(key >> 32);
        }
    }
}

// Cross-entropy's targets of the classes that are in a batch, over its number of rows or the sum of their weights.
// by: that number. class_of(i): of row i. Those of the batches before stay while there is room.
template <class Function> static void scale_targets(Block& k, int64_t rows, double by, const Function& class_of) {
    const bool room = k.slots == k.C || k.slots_used + rows <= k.slots;
    if (by != k.scaled_by || !room)
        for (int64_t c = k.slots_used = 0; c < k.C; c++) k.slot_C[c] = -1;
    k.scaled_by = by;
    for (int64_t t = 0; t < rows; t++) {
        const int64_t c = class_of(t);
        if (k.slot_C[c] >= 0) continue;
        const int64_t slot = k.slot_C[c] = k.slots_used++;
        double mass = 0;
        for (int64_t i = 0; i < k.C; i++) {
            mass += k.target_CC[c * k.C + i];
            k.scaled[slot * k.C + i] = (float)(k.target_CC[c * k.C + i] / by);
        }
        k.scaled_mass[slot] = (float)(mass / by);
    }
}

static Batch batch_of(const Steps& steps, int64_t s) {
    const int64_t begin = !steps.index ? s * steps.rows : s ? steps.end_S[s - 1] : 0;
    return {steps.index ? steps.index + begin : nullptr, steps.index ? steps.end_S[s] - begin : steps.rows,
            steps.change ? steps.change + begin : nullptr, steps.partner ? steps.partner + begin : nullptr};
}

// Puts a chunk's rows where the passes read them: inputs, and a rank's share of targets or classes.
static const float* gather(Block& k, const Rank& rank, const Steps& steps, const Batch& batch, int64_t s0, int64_t n) {
    const int64_t* index = batch.index;
    const Range rows = rank.share(n);
    for (int64_t t = rows.begin; t < rows.end; t++) {
        const int64_t row = index ? index[s0 + t] : s0 + t;
        if (k.loss_kind == CROSS_ENTROPY) k.row[t] = steps.class_N[row];
        else std::memcpy(k.target + t * k.C, steps.target_NC + row * k.C, (size_t)k.C * sizeof(float));
        for (int64_t lane = 0; k.weight_of[0] && lane < (k.units ? 1 : LANES); lane++)
            ((float*)k.weight_S)[k.units ? t : t * LANES + lane] = k.weight_of[lane][row];
    }
    if (k.pictures) return features_of(k, rank, steps.x_ND, batch, s0, sixteens_of(rank, n), true);
    return inputs_of(k, rank, steps.x_ND, index, s0, {0, n});
}

// One over each lane's sum of the batch's weights, times their classes'; 0 where it is none.
static void sum_weights(Block& k, const Steps& steps, const Batch& batch) {
    for (int64_t lane = 0; lane < LANES; lane++) {
        const float* weight = k.weight_of[lane];
        if (lane && weight == k.weight_of[lane - 1]) {
            k.one_over[lane] = k.one_over[lane - 1];
            continue;
        }
        double sum = 0;
        for (int64_t i = 0; i < batch.rows; i++) {
            const int64_t row = batch.index ? batch.index[i] : i;
            sum += weight[row] * (k.weight_C ? k.weight_C[steps.class_N[row]] : 1.0);
        }
        k.one_over[lane] = sum < 0x1p-126 ? 0.f : (float)(1 / sum);
    }
}

// The rows of step s, fetched while a rank goes through the tiles of the first layer's gradient.
static NextRows next_rows(const Block& k, const Rank& rank, const Steps& steps, int64_t s) {
    if (!steps.index || s >= steps.stop || k.pictures) return {};
    const Batch batch = batch_of(steps, s);
    const int64_t tiles = panels_of(k.layer->J) * tiles_of(k.D) / rank.ranks + 1, rows = batch.rows;
    return {steps.x_ND, batch.index, rows < k.S ? rows : k.S, k.D, rows * ((k.D + 15) / 16) / tiles + 1, 0, 0};
}

// Trains step s, unless a row or class isn't there: then nothing is updated. STOPPED: the block is half updated.
// loss_R: where the members' losses go.
static Answer train_step(Block& k, Rank& rank, const Members& m, const Steps& steps, int64_t s, float* loss_R) {
    const Batch batch = batch_of(steps, s);
    const int64_t *index = batch.index, rows = batch.rows;
    const bool classes = k.loss_kind == CROSS_ENTROPY;
    if (rows < 1 || rows > k.rows) return OUT_OF_RANGE;
    double weights = k.weight_C ? 0 : (double)rows;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t row = index ? index[i] : i;
        if (row < 0 || row >= steps.rows) return OUT_OF_RANGE;
        if (batch.partner && (batch.partner[i] < 0 || batch.partner[i] >= steps.rows)) return OUT_OF_RANGE;
        if (!classes) continue;
        if (steps.class_N[row] < 0 || steps.class_N[row] >= k.C) return OUT_OF_RANGE;
        if (k.weight_C) weights += k.weight_C[steps.class_N[row]];
    }
    if (rank.first()) {
        if (classes)
            scale_targets(k, rows, steps.weight_GN ? 1.0 : weights, [&](int64_t t) { return steps.class_N[index ? index[t] : t]; });
        if (steps.weight_GN) sum_weights(k, steps, batch);
        prepare(k, m, steps, s);
        if (k.gates) multiply_gates(k);
    }
    if (k.pictures && !rank.wait()) return STOPPED;  // their features are dropped by this step's keys
    const float share = (float)(1.0 / (double)(steps.weight_GN ? k.C : rows * k.C));
    const bool keep = k.summed || s + 1 == steps.stop;
    NextRows next = next_rows(k, rank, steps, s + 1);
    V loss = splat(0.f);
    for (int64_t s0 = 0; s0 < rows; s0 += k.S) {
        const int64_t n = rows - s0 < k.S ? rows - s0 : k.S;
        const float* x = gather(k, rank, steps, batch, s0, n);
        if (!rank.wait()) return STOPPED;
        if (k.units && !s0) transpose_weights(k, rank);
        if (k.pictures && !s0) reverse_kernels(*k.pictures, rank, (const float*)(k.state.p + k.filters));
        forward(k, rank, x, {0, n}, s0, true);
        rank.wait();
        losses(k, rank, n, share);
        rank.wait();
        if (rank.first()) loss = total_loss(k, n, loss);
        backward(k, rank, x, n, s0, s0 > 0 || k.summed, !k.clips && s0 + n == rows, keep, &next);
        if (!rank.wait()) return STOPPED;
        if (!k.pictures) continue;
        filters_backward(k, rank, n, s0 > 0 || k.summed, !k.clips && s0 + n == rows);
        if (!rank.wait()) return STOPPED;
    }
    if (k.gates) {
        if (rank.first()) {
            if (k.units) gate_gradients<true>(k); else gate_gradients<false>(k);
            const Layer& a = *k.layer;
            for (Range weights : {Range{a.w, a.w + a.in * a.J}, {a.b, a.b + a.J}, {k.gate, k.gate + k.gates}})
                if (!k.clips) update_range(k, weights, splat(1.f));
        }
        rank.wait();
    }
    if (k.clips) {
        if (rank.first()) k.clip_scale = k.units ? clip_scale<true>(k) : clip_scale<false>(k);
        rank.wait();
        update_range(k, rank.share(k.size), k.clip_scale);
        if (!rank.wait()) return STOPPED;
    }
    if (!classes) loss *= share;
    for (int64_t lane = 0; rank.first() && lane < k.used; lane++) loss_R[lane] = loss[lane];
    return DONE;
}

}  // namespace LANES_SET
