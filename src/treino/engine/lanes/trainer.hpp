// A Trainer: the memory of one block, laid out once, and the way of its members in and out of it.
//
// Two layouts with the same bits. Members: each lane holds a member, a vector one weight of all of them.
// Units: the lanes hold a layer's units side by side, padded with zeros, of one member. In both a layer's
// numbers are vectors [row][J] and its weights [in][J]: J is the layer's units, or the vectors they fill.
#pragma once
#include <cstdlib>

#include "activations.hpp"
#include "border.hpp"
#include "random.hpp"
#include "updates.hpp"

namespace LANES_SET {

constexpr int64_t CHUNK_BYTES = 512 << 10;  // of rows' numbers in all layers that go through together

struct Layer {
    int64_t in, out, J;     // units, units, vectors
    int64_t w, b;           // where W [in][J] and b [J] begin in the block, in vectors
    int64_t w_row, b_row;   // and in a member's row, in floats
    V *value, *passed, *d;  // [S][J]: what the derivative is had from; what the next layer gets; dloss/dz
    V* turned;              // units: [out][J of in], the weights for the pass down
    VU key_a, key_b;        // of the step's dropout mask
};

}  // namespace LANES_SET

// A struct of each set's own behind one name would break the rule of one definition: hence Trainer's base.
struct Trainer {};

namespace LANES_SET {

struct Block : Trainer {
    bool units;
    int64_t layers, D, C, S, n, rows;  // S: rows that go through together
    int64_t size;                      // vectors of the block's weights
    Layer* layer;
    int32_t activation, loss_kind, optimizer;
    bool nesterov, dropout, summed, softmax_first;
    double *target_CC, *weight_C, *mass_C;  // of cross-entropy
    float *scaled_CC, *scaled_mass_C;       // over the batch's rows, or their weights
    double scaled_by;
    State state;                // g always
    Numbers numbers;
    VI threshold; V kept_scale; // of dropout
    float* x;                   // [S][D], the rows at hand
    int64_t* row;               // [S]
    int32_t* hash;              // [rows · widest layer], padded
    float* target;              // [S][C], floats of the rows at hand
    V *z, *d, *t, *q, *sixteen; // of the loss where the lanes hold rows: [C] each; of the norm
    int64_t member[LANES];      // each lane's row in the population
    int64_t used;               // lanes that hold a member of their own
    bool loaded;
    double power1[LANES], power2[LANES];
};

// Padded to whole vectors, zeroed, on lines of 64 bytes. Null: no memory.
template <class T> static T* buffer(int64_t count, bool& failed) {
    const size_t bytes = ((size_t)(count > 0 ? count : 1) * sizeof(T) + 63) / 64 * 64;
    void* p = failed ? nullptr : std::aligned_alloc(64, bytes);
    if (!p) failed = true; else std::memset(p, 0, bytes);
    return (T*)p;
}

static void close_block(Trainer* trainer) {
    Block* k = (Block*)trainer;
    if (!k) return;
    for (int64_t l = 0; k->layer && l < k->layers; l++) {
        Layer& a = k->layer[l];
        if (a.passed != a.value) std::free(a.passed);
        std::free(a.value), std::free(a.d), std::free(a.turned);
    }
    void* all[] = {k->layer, k->target_CC, k->weight_C, k->mass_C, k->scaled_CC, k->scaled_mass_C, k->state.p,
                   k->state.g, k->state.m, k->state.v, k->x, k->row, k->hash, k->target, k->z, k->d, k->t, k->q,
                   k->sixteen};
    for (void* p : all) std::free(p);
    std::free(k);
}

static Trainer* open_block(const Network* net, int64_t rows, int32_t units) {
    bool failed = false;
    Block* k = buffer<Block>(1, failed);
    if (failed) return nullptr;
    k->units = units, k->layers = net->layers, k->rows = rows, k->n = net->n;
    k->activation = net->activation, k->loss_kind = net->loss, k->optimizer = net->optimizer;
    k->nesterov = net->nesterov, k->dropout = net->dropout, k->summed = net->summed;
    k->softmax_first = net->softmax_first;
    k->D = net->sizes[0], k->C = net->sizes[k->layers];
    k->layer = buffer<Layer>(k->layers, failed);
    if (failed) return close_block(k), nullptr;
    int64_t each = 0, widest = 1, at = 0;
    for (int64_t l = 0; l < k->layers; l++) {
        Layer& a = k->layer[l];
        a.in = net->sizes[l], a.out = net->sizes[l + 1];
        a.J = units ? (a.out + LANES - 1) / LANES : a.out;
        a.w = at, a.b = at + a.in * a.J, at = a.b + a.J;
        a.w_row = net->starts[2 * l], a.b_row = net->starts[2 * l + 1];
        each += 2 * a.J * (int64_t)sizeof(V);
        if (l + 1 < k->layers && a.out > widest) widest = a.out;
    }
    k->size = at;
    k->S = CHUNK_BYTES / each / TILE_T * TILE_T;
    k->S = k->S < 4 * TILE_T ? 4 * TILE_T : k->S;
    k->S = k->S < rows ? k->S : rows;
    const bool apart = k->dropout || by_input(k->activation);
    for (int64_t l = 0; l < k->layers; l++) {
        Layer& a = k->layer[l];
        a.value = buffer<V>(k->S * a.J, failed), a.d = buffer<V>(k->S * a.J, failed);
        a.passed = apart && l + 1 < k->layers ? buffer<V>(k->S * a.J, failed) : a.value;
        if (units && l) a.turned = buffer<V>(a.out * k->layer[l - 1].J, failed);
    }
    const int64_t C = k->C, classes = net->target_CC ? C : 0;
    k->target_CC = buffer<double>(classes * classes, failed), k->mass_C = buffer<double>(classes, failed);
    k->weight_C = net->weight_C ? buffer<double>(classes, failed) : nullptr;
    k->scaled_CC = buffer<float>(classes * classes, failed), k->scaled_mass_C = buffer<float>(classes, failed);
    V** states[] = {&k->state.p, &k->state.g, &k->state.m, &k->state.v};
    for (V** state : states)
        if (state != &k->state.v || k->optimizer != SGD) *state = buffer<V>(k->size, failed);
    k->x = buffer<float>(k->S * k->D, failed), k->row = buffer<int64_t>(k->S, failed);
    k->hash = buffer<int32_t>(k->dropout ? rows * widest + LANES : 1, failed);
    k->target = buffer<float>(k->S * C, failed);
    V** room[] = {&k->z, &k->d, &k->t, &k->q};
    for (V** some : room) *some = buffer<V>(C, failed);
    k->sixteen = buffer<V>(16, failed);
    if (failed) return close_block(k), nullptr;
    for (int64_t c = 0; c < classes; c++) {
        if (k->weight_C) k->weight_C[c] = net->weight_C[c];
        for (int64_t i = 0; i < C; i++) k->mass_C[c] += k->target_CC[c * C + i] = net->target_CC[c * C + i];
    }
    for (int64_t e = 0; k->dropout && e < rows * widest; e++) k->hash[e] = element_hash(e);
    return k;
}

// ---- members in and out

// Call f(place in the block, place in a row) for every weight, both in floats; in blocks that lie close
// together in both.
template <class Function> static void each_weight(const Block& k, const Function& f) {
    const int64_t wide = k.units ? 1 : LANES, edge = 16;  // floats from one unit to the next
    for (int64_t l = 0; l < k.layers; l++) {
        const Layer& a = k.layer[l];
        for (int64_t j0 = 0; j0 < a.out; j0 += edge) {
            const int64_t stop = j0 + edge < a.out ? j0 + edge : a.out;
            for (int64_t i0 = 0; i0 < a.in; i0 += edge)
                for (int64_t j = j0; j < stop; j++)
                    for (int64_t i = i0; i < a.in && i < i0 + edge; i++)
                        f((a.w + i * a.J) * LANES + j * wide, a.w_row + j * a.in + i);
        }
        for (int64_t j = 0; j < a.out; j++) f(a.b * LANES + j * wide, a.b_row + j);
    }
}

static void fetch(const Block& k, V* block, const float* population) {
    float* to = (float*)block;
    const float* from[LANES];
    for (int lane = 0; lane < LANES; lane++) from[lane] = population + k.member[lane] * k.n;
    const float* only = from[0];
    if (k.units) return each_weight(k, [=](int64_t at, int64_t i) { to[at] = only[i]; });
    each_weight(k, [&](int64_t at, int64_t i) {
        for (int lane = 0; lane < LANES; lane++) to[at + lane] = from[lane][i];
    });
}

static void put(const Block& k, const V* block, float* population) {
    const float* from = (const float*)block;
    float* to[LANES];
    for (int lane = 0; lane < LANES; lane++) to[lane] = population + k.member[lane] * k.n;
    float* only = to[0];
    if (k.units) return each_weight(k, [=](int64_t at, int64_t i) { only[i] = from[at]; });
    each_weight(k, [&](int64_t at, int64_t i) {
        for (int64_t lane = 0; lane < k.used; lane++) to[lane][i] = from[at + lane];
    });
}

// The members from number `first` on; lanes that are left over hold the first one again.
static void choose(Block& k, const Members& m, int64_t first) {
    const int64_t left = m.count - first, most = k.units ? 1 : LANES;
    k.used = left < most ? left : most;
    for (int lane = 0; lane < LANES; lane++) k.member[lane] = m.row_R[first + (lane < k.used ? lane : 0)];
}

static void load(Block& k, const Members& m, int64_t first) {
    choose(k, m, first);
    fetch(k, k.state.p, m.params);
    if (k.summed) fetch(k, k.state.g, m.grads);
    fetch(k, k.state.m, m.moments[0]);
    if (k.state.v) fetch(k, k.state.v, m.moments[1]);
    Numbers& n = k.numbers;
    for (int lane = 0; lane < LANES; lane++) {
        const int64_t p = k.member[lane];
        n.decay[lane] = (float)m.hp[WEIGHT_DECAY][p], n.momentum[lane] = (float)m.hp[MOMENTUM][p];
        n.moving[lane] = m.hp[MOMENTUM][p] != 0 ? -1 : 0;
        n.less_beta1[lane] = (float)(1 - m.hp[BETA1][p]), n.beta2[lane] = (float)m.hp[BETA2][p];
        n.less_beta2[lane] = (float)(1 - m.hp[BETA2][p]), n.eps[lane] = (float)m.hp[EPS][p];
        n.clip[lane] = (float)m.hp[CLIP][p];
        k.threshold[lane] = dropout_threshold(m.hp[DROPOUT][p]);
        k.kept_scale[lane] = (float)(1 / (1 - m.hp[DROPOUT][p]));
    }
    k.scaled_by = 0;
    k.loaded = true;
}

static void store(Block& k, const Members& m) {
    put(k, k.state.p, m.params), put(k, k.state.g, m.grads), put(k, k.state.m, m.moments[0]);
    if (k.state.v) put(k, k.state.v, m.moments[1]);
    k.loaded = false;
}

}  // namespace LANES_SET
