// One step of a block: forward, loss, backward, clipping, update, in chunks of S rows.
#pragma once
#include "losses.hpp"
#include "products.hpp"
#include "trainer.hpp"

namespace LANES_SET {

INLINE V mask(const Block& k, const Layer& a, VU hash) {
    return (VI)(hash * a.key_a + a.key_b) >= k.threshold ? k.kept_scale : splat(0.f);
}

// f(place, mask) for each of n rows' vectors of a layer; row: the number of the first one in its batch.
template <class Function>
INLINE void each_masked(const Block& k, const Layer& a, int64_t n, int64_t row, const Function& f) {
    for (int64_t t = 0; t < n; t++) {
        const int32_t* hash = k.hash + (row + t) * a.out;
        for (int64_t j = 0; j < a.J; j++)
            f(t * a.row + j, mask(k, a, k.units ? (VU)unaligned(hash + j * LANES) : (VU)splat_int(hash[j])));
    }
}

// n rows' inputs, x_row apart: those that index names from s0 on; null: rows s0, s0 + 1, ...
static const float* inputs_of(Block& k, const float* x_ND, const int64_t* index, int64_t s0, int64_t n) {
    if (!index && k.x_row == k.D) return x_ND + s0 * k.D;
    for (int64_t t = 0; t < n; t++)
        std::memcpy(k.x + t * k.x_row, x_ND + (index ? index[s0 + t] : s0 + t) * k.D, (size_t)k.D * sizeof(float));
    return k.x;
}

static void forward(Block& k, const float* x, int64_t n, int64_t row, bool training) {
    for (int64_t l = 0; l < k.layers; l++) {
        Layer& a = k.layer[l];
        const Layer* before = l ? &a - 1 : nullptr;
        const V* weights = k.gates && !before ? k.gated : k.state.p + a.w;
        Operands o{a.J, n, a.in, weights, a.J, before ? (const void*)before->passed : x, 1,
                   before ? before->row * (k.units ? LANES : 1) : k.x_row, {k.state.p + a.b, 0, 0}};
        const bool hidden = l + 1 < k.layers;
        const auto product_into = [&](const auto& then) {
            if (k.units) product<true, PANELS>(o, then);
            else if (!before) product<true, PLAIN>(o, then);
            else product<false, PLAIN>(o, then);
        };
        if (hidden && k.activation == RELU) product_into(KeepPositive{a.value, a.row});
        else product_into(Keep{{a.value, a.row, 0}});
        if (!hidden) return;
        const bool apart = by_input(k.activation), drops = k.dropout && training;
        if (k.activation != RELU || apart)
            with_activation(k.activation, [&](auto chosen) {
                V* to = apart ? a.passed : a.value;
                for (int64_t i = 0; i < n * a.row; i++) to[i] = activated<decltype(chosen)::value>(a.value[i]);
            });
        const V* h = apart ? a.passed : a.value;
        if (drops) each_masked(k, a, n, row, [&](int64_t at, V kept) { a.passed[at] = h[at] * kept; });
        else if (h != a.passed) std::memcpy(a.passed, h, (size_t)(n * a.row) * sizeof(V));
    }
}

template <bool SHARED>
INLINE V row_loss(const Block& k, const V* z, V* d, const Target<SHARED>& t, float share) {
    if (k.loss_kind != CROSS_ENTROPY) return by_output(k.loss_kind, z, d, k.C, t, share);
    if (k.softmax_first) return cross_entropy_of_softmax(z, d, k.q, k.C, t);
    return cross_entropy(z, d, k.C, t);
}

// The last layer's d of n rows; -> loss with what these rows add, in their order. share: one over all outputs.
static V losses(Block& k, int64_t n, V loss, float share) {
    Layer& a = k.layer[k.layers - 1];
    const int64_t C = k.C;
    const bool classes = k.loss_kind == CROSS_ENTROPY;
    const auto target = [&](int64_t t) { return classes ? k.scaled + k.slot_C[k.row[t]] * C : k.target + t * C; };
    const auto mass = [&](int64_t t) { return classes ? k.scaled_mass[k.slot_C[k.row[t]]] : 0.f; };
    if (!k.units) {
        for (int64_t t = 0; t < n; t++)
            loss += row_loss(k, a.value + t * a.row, a.d + t * a.row, Target<true>{target(t), splat(mass(t))},
                             share);
        return loss;
    }
    const float* z = (const float*)a.value;
    float* d = (float*)a.d;
    for (int64_t t = 0; t < n; t += LANES) {  // the lanes hold rows
        const int64_t here = n - t < LANES ? n - t : LANES;
        V all = splat(0.f);
        for (int64_t lane = 0; lane < LANES; lane++) {
            const int64_t row = t + (lane < here ? lane : 0);
            for (int64_t c = 0; c < C; c++) {
                k.z[c][lane] = z[row * a.row * LANES + c];
                k.t[c][lane] = target(row)[c];
            }
            all[lane] = mass(row);
        }
        V each = row_loss(k, k.z, k.d, Target<false>{k.t, all}, share);
        for (int64_t lane = 0; lane < here; lane++) {
            loss[0] += each[lane];
            for (int64_t c = 0; c < C; c++) d[(t + lane) * a.row * LANES + c] = k.d[c][lane];
        }
    }
    return loss;
}

// d of the layer before a, through a's weights as they are before their update.
static void down(Block& k, Layer& a, int64_t n, int64_t row) {
    Layer& before = *(&a - 1);
    const bool simple = k.activation == RELU && !k.dropout;
    Operands o{before.J, n, a.out, k.state.p + a.w, a.J, a.d, 1, a.row, {}};
    if (k.units) o.a = a.turned, o.b_t = a.row * LANES;
    const auto product_into = [&](const auto& then) {
        if (k.units) product<true, PANELS>(o, then); else product<false, COLUMNS>(o, then);
    };
    if (simple) return product_into(KeepWherePositive{before.d, before.value, before.row});
    product_into(Keep{{before.d, before.row, 0}});
    if (k.dropout) each_masked(k, before, n, row, [&](int64_t at, V kept) { before.d[at] *= kept; });
    with_activation(k.activation, [&](auto chosen) {
        for (int64_t i = 0; i < n * before.row; i++)
            before.d[i] = chained<decltype(chosen)::value>(before.d[i], before.value[i]);
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

static void turn(Block& k) {  // the weights of all layers but the first
    for (int64_t l = 1; l < k.layers; l++) {
        Layer& a = k.layer[l];
        const int64_t inputs = k.layer[l - 1].J;
        const Matrix weights = weights_of(k, a, k.state.p), turned{a.turned, inputs, a.out};
        const auto square = [&](const V* from, int64_t step, int64_t n, V* to, int64_t to_step, int64_t lanes) {
            V m[LANES];
            for (int64_t c = 0; c < LANES; c++) m[c] = c < n ? from[c * step] : V{};
            transpose(m);
            for (int64_t lane = 0; lane < LANES && lane < lanes; lane++) to[lane * to_step] = m[lane];
        };
        each_panel(a.J, [&](int64_t j0, int64_t wide) {
            each_panel(inputs, [&](int64_t i0, int64_t high) {
                for (int64_t j = j0; j < j0 + wide; j++)
                    for (int64_t i = i0; i < i0 + high; i++)
                        square(weights.of(i * LANES, j0, wide) + j - j0, wide, a.in - i * LANES,
                               turned.of(j * LANES, i0, high) + i - i0, high, a.out - j * LANES);
            });
        });
    }
}

// The gradients of a layer's weights and biases, n rows more; they go on from `from` and g where `more`.
template <class Then>
static void gradients(Block& k, const Layer& a, const float* x, int64_t n, Matrix from, bool more, Then weights,
                      Then biases) {
    static const float one = 1.f;
    const Layer* before = &a == k.layer ? nullptr : &a - 1;
    const int64_t inputs = before ? before->row * (k.units ? LANES : 1) : k.x_row;
    Operands o{a.J, a.in, n, k.panels, 0, before ? (const void*)before->passed : x, inputs, 1,
               from};
    each_panel(a.J, [&](int64_t begin, int64_t wide) {
        V* to = k.panels + begin * n;
        for (int64_t t = 0; t < n; t++)
            for (int64_t j = 0; j < wide; j++) *to++ = a.d[t * a.row + begin + j];
    });
    if (!before || k.units) product<true, PANELS>(o, weights); else product<false, PANELS>(o, weights);
    o.T = 1, o.b = &one, o.b_r = 0, o.start = more ? Matrix{k.state.g + a.b, 0, 0} : Matrix{};
    product<true, PANELS>(o, biases);
}

template <int32_t OPTIMIZER>
static void gradients_and_update(Block& k, const Layer& a, const float* x, int64_t n, bool more, bool keep) {
    State s = k.state;
    if (!keep) s.g = nullptr;
    Update<OPTIMIZER> then{s, &k.numbers, weights_of(k, a, s.p), k.nesterov}, biases = then;
    biases.weights = {s.p + a.b, 0, 0};
    gradients(k, a, x, n, more ? weights_of(k, a, k.state.g) : Matrix{}, more, then, biases);
}

static void backward(Block& k, const float* x, int64_t n, int64_t row, bool more, bool last, bool keep) {
    for (int64_t l = k.layers - 1; l >= 0; l--) {
        Layer& a = k.layer[l];
        if (l) down(k, a, n, row);
        const bool gated = k.gates && !l;
        const Matrix g = gated ? gated_matrix(k, k.gated_d) : weights_of(k, a, k.state.g);
        Keep weights{g}, biases{{k.state.g + a.b, 0, 0}};
        if (gated || !last) gradients(k, a, x, n, (gated ? row > 0 : more) ? g : Matrix{}, more, weights, biases);
        else if (k.optimizer == SGD) gradients_and_update<SGD>(k, a, x, n, more, keep);
        else if (k.optimizer == ADAM) gradients_and_update<ADAM>(k, a, x, n, more, keep);
        else gradients_and_update<ADAMW>(k, a, x, n, more, keep);
    }
}

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

template <int32_t OPTIMIZER> static void first_layer_update(Block& k) {
    const Layer& a = *k.layer;
    for (int64_t i = a.w; i < a.b; i++) update<OPTIMIZER>(k.state, i, k.state.g[i], k.numbers, k.nesterov);
    for (int64_t i = 0; i < a.J; i++) update<OPTIMIZER>(k.state, a.b + i, k.state.g[a.b + i], k.numbers, k.nesterov);
    for (int64_t i = k.gate; i < k.size; i++) update<OPTIMIZER>(k.state, i, k.state.g[i], k.numbers, k.nesterov);
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
    V total = sums.total();
    for (int64_t i = k.gate; i < k.size; i++) total = fma(k.state.g[i], k.state.g[i], total);
    V norm = root(total) + 1e-6f;
    return norm > k.numbers.clip ? k.numbers.clip / norm : splat(1.f);
}

template <int32_t OPTIMIZER> static void clipped_update(Block& k) {
    const V scale = k.units ? clip_scale<true>(k) : clip_scale<false>(k);
    for (int64_t i = 0; i < k.size; i++) {
        V g = k.state.g[i] *= scale;
        update<OPTIMIZER>(k.state, i, g, k.numbers, k.nesterov);
    }
}

// x to the n by products in one order: that of the C library has other last bits on other machines.
static double power(double x, int64_t n) {
    double y = 1;
    for (; n > 0; n >>= 1, x *= x)
        if (n & 1) y *= x;
    return y;
}

static void prepare(Block& k, const Members& m, const Steps& steps, int64_t s) {
    Numbers& n = k.numbers;
    const int64_t update = steps.optimizer_first + s + 1;
    const double t = (double)update;
    for (int lane = 0; lane < LANES; lane++) {
        const int64_t p = k.member[lane], other = lane ? k.member[lane - 1] : -1;
        const double lr = m.hp[LR][p] * steps.factor_KS[m.schedule_P[p] * steps.steps + s];
        n.descent[lane] = (float)-lr;
        n.shrink[lane] = (float)(1 - lr * m.hp[WEIGHT_DECAY][p]);
        n.ema_share[lane] = (float)(1 - std::fmin(m.hp[EMA][p], (1 + t) / (10 + t)));  // as ema_limit has it
        if (k.optimizer != SGD) {
            n.step_size[lane] = (float)(-lr / (1 - power(m.hp[BETA1][p], update)));
            n.correction[lane] = (float)(1 / std::sqrt(1 - power(m.hp[BETA2][p], update)));
        }
        for (int64_t l = 0; k.dropout && l + 1 < k.layers; l++) {
            const uint64_t key = p == other ? 0 : dropout_key(m.seed_P[p], l, steps.first + s);
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

// A step's batch: its rows' numbers, or null for all rows, and how many they are.
struct Batch {
    const int64_t* index;
    int64_t rows;
};

static Batch batch_of(const Steps& steps, int64_t s) {
    if (!steps.index) return {nullptr, steps.rows};
    const int64_t begin = s ? steps.end_S[s - 1] : 0;
    return {steps.index + begin, steps.end_S[s] - begin};
}

INLINE bool stopped(const int32_t* stop) { return __atomic_load_n(stop, __ATOMIC_RELAXED) != 0; }

// Trains step s, unless a row or class isn't there: then nothing is updated. STOPPED: the block is half updated.
static Answer train_step(Block& k, const Members& m, const Steps& steps, int64_t s, float* loss_R, const int32_t* stop) {
    const auto [index, rows] = batch_of(steps, s);
    const bool classes = k.loss_kind == CROSS_ENTROPY;
    if (rows < 1 || rows > k.rows) return OUT_OF_RANGE;
    double weights = k.weight_C ? 0 : (double)rows;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t row = index ? index[i] : i;
        if (row < 0 || row >= steps.rows) return OUT_OF_RANGE;
        if (!classes) continue;
        if (steps.class_N[row] < 0 || steps.class_N[row] >= k.C) return OUT_OF_RANGE;
        if (k.weight_C) weights += k.weight_C[steps.class_N[row]];
    }
    if (classes)
        scale_targets(k, rows, weights, [&, index = index](int64_t t) { return steps.class_N[index ? index[t] : t]; });
    prepare(k, m, steps, s);
    if (k.units) turn(k);
    if (k.gates) multiply_gates(k);
    const float share = (float)(1.0 / (double)(rows * k.C));
    const bool clips = [&] {
        for (int lane = 0; lane < LANES; lane++)
            if (k.numbers.clip[lane] != INFINITE) return true;
        return false;
    }();
    const bool keep = k.summed || s + 1 == steps.stop;
    V loss = splat(0.f);
    for (int64_t s0 = 0; s0 < rows; s0 += k.S) {
        if (stopped(stop)) return STOPPED;
        const int64_t n = rows - s0 < k.S ? rows - s0 : k.S;
        const float* x = inputs_of(k, steps.x_ND, index, s0, n);
        for (int64_t t = 0; t < n; t++) {
            const int64_t row = index ? index[s0 + t] : s0 + t;
            if (classes) k.row[t] = steps.class_N[row];
            else std::memcpy(k.target + t * k.C, steps.target_NC + row * k.C, (size_t)k.C * sizeof(float));
        }
        forward(k, x, n, s0, true);
        loss = losses(k, n, loss, share);
        backward(k, x, n, s0, s0 > 0 || k.summed, !clips && s0 + n == rows, keep);
    }
    if (!classes) loss *= share;
    if (k.gates && k.units) gate_gradients<true>(k);
    if (k.gates && !k.units) gate_gradients<false>(k);
    if (k.gates && !clips && k.optimizer == SGD) first_layer_update<SGD>(k);
    if (k.gates && !clips && k.optimizer == ADAM) first_layer_update<ADAM>(k);
    if (k.gates && !clips && k.optimizer == ADAMW) first_layer_update<ADAMW>(k);
    if (clips && k.optimizer == SGD) clipped_update<SGD>(k);
    if (clips && k.optimizer == ADAM) clipped_update<ADAM>(k);
    if (clips && k.optimizer == ADAMW) clipped_update<ADAMW>(k);
    for (int64_t lane = 0; lane < k.used; lane++) loss_R[lane] = loss[lane];
    return DONE;
}

}  // namespace LANES_SET
