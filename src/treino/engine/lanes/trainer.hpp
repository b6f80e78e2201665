// A Trainer: the memory of one block, laid out once, and the way of its members in and out of it.
//
// Two layouts with the same bits. Members: each lane holds a member, a vector one weight of all of them.
// Units: the lanes hold a layer's units side by side, padded with zeros, of one member. In both a layer's
// numbers are vectors [row][J] and its weights [in][J]: J is the layer's units, or the vectors they fill. The
// units' weights lie in panels.
#pragma once
#include <cstdlib>

#include "activations.hpp"
#include "border.hpp"
#include "pictures.hpp"
#include "random.hpp"
#include "updates.hpp"

namespace LANES_SET {

constexpr int64_t CHUNK_BYTES = 512 << 10;  // of rows' numbers in all layers that go through together

struct Layer {
    int64_t in, out, J;     // units, units, vectors
    int64_t row;            // vectors from one row's numbers to the next one's
    int64_t w, b;           // where W [in][J] and b [J] begin in the block, in vectors
    int64_t w_row, b_row;   // and in a member's row, in floats
    V *value, *output, *d;  // [S][J]: what the derivative is had from; what the next layer gets; dloss/dz
    V* transposed;          // units: [out][J of in] in panels, the weights for the pass down
    VU key_a, key_b;        // of the step's dropout mask
};

}  // namespace LANES_SET

// A struct of each set's own behind one name would break the rule of one definition: hence Trainer's base.
struct Trainer {};

namespace LANES_SET {

struct Block : Trainer {
    Team team;
    Rank* rank;
    bool units;
    int64_t layers, D, C, S, n, rows;  // S: rows that go through together
    int64_t x_row;                     // floats from one row's inputs to the next one's
    int64_t size;                      // vectors of the block's weights
    int64_t gates, gate, gate_start;   // how many; where they begin in the block, and in a member's row
    float gate_rate;
    int64_t* column_D;                 // the number of each input's gate
    V *gated, *gated_d;                // [D][J] as the first layer's weights: times their gates; dloss by it
    Layer* layer;                      // layer[-1]: the features of pictures, as if a layer gave them
    Pictures* pictures;                // the convolutions, or null
    int64_t filters;                   // where their parameters begin in the block, in vectors
    int32_t activation, loss_kind, optimizer;
    bool nesterov, dropout, summed, softmax_first;
    const double *target_CC, *weight_C;  // of cross-entropy
    int64_t *slot_C, slots, slots_used;  // where in scaled a class has its targets; −1: nowhere
    float *scaled, *scaled_mass;         // [slots][C], [slots]: over the batch's rows, or their weights
    double scaled_by;
    State state;                // g always
    Numbers numbers;
    VI threshold; V kept_scale; // of dropout
    int32_t* place;             // members: of each number of a row, in the block
    V* packed[2];               // [S][widest J]: a layer's d in panels, for its gradient; layers take turns
    float* x;                   // [ranks][S][x_row], the rows at hand: each rank has them at its side; one for
                                // all of pictures' features
    int64_t* row;               // [S]
    const int32_t* hash;
    float* target;              // [S][C], floats of the rows at hand
    V *scratch, *loss_S;        // [ranks][4][C]; each row's loss, of units floats
    V *weight_S, one_over;      // each row's weight, of units floats; one over their sum in the batch, with the classes'
    const float* weight_of[LANES];  // each lane's weights [N], or null
    bool clips; V clip_scale;
    int64_t first;              // the number of the members that the team has taken
    int64_t member[LANES];      // each lane's row in the population
    int64_t used;               // lanes that hold a member of their own
};

// A layer's weights, or what there is of each, in the block.
INLINE Matrix weights_of(const Block& k, const Layer& a, V* block) {
    return {block + a.w, a.J, k.units ? a.in : 0};
}

static void close_block(Trainer* trainer) {
    Block* k = (Block*)trainer;
    if (!k) return;
    for (int64_t l = -1; k->layer && l < k->layers; l++) {
        Layer& a = k->layer[l];
        if (a.output != a.value) std::free(a.output);
        std::free(a.value), std::free(a.d), std::free(a.transposed);
    }
    close_pictures(k->pictures);
    void* all[] = {k->layer ? k->layer - 1 : nullptr, k->slot_C, k->scaled, k->scaled_mass, k->state.p, k->state.g, k->state.m, k->state.v,
                   k->state.average, k->place, k->packed[0], k->packed[1], k->x, k->row, k->target, k->scratch, k->loss_S, k->weight_S, k->rank, k->column_D, k->gated, k->gated_d};
    for (void* p : all) std::free(p);
    std::free(k);
}

static Trainer* open_block(const Network* net, const int32_t* hash, int64_t rows, int32_t units, int32_t ranks) {
    bool failed = false;
    Block* k = buffer<Block>(1, failed);
    if (failed) return nullptr;
    k->units = units, k->layers = net->layers, k->rows = rows, k->n = net->n;
    k->activation = net->activation, k->loss_kind = net->loss, k->optimizer = net->optimizer;
    k->nesterov = net->nesterov, k->dropout = net->dropout, k->summed = net->summed;
    k->softmax_first = net->softmax_first;
    k->D = net->sizes[0], k->C = net->sizes[k->layers];
    k->layer = buffer<Layer>(k->layers + 1, failed);
    if (failed) return k->layer = nullptr, close_block(k), nullptr;
    k->layer++;
    int64_t each = 0, widest_J = 1, at = 0;
    for (int64_t l = 0; l < k->layers; l++) {
        Layer& a = k->layer[l];
        a.in = net->sizes[l], a.out = net->sizes[l + 1];
        a.J = units ? (a.out + LANES - 1) / LANES : a.out;
        a.row = a.J % 8 ? a.J : a.J + 1;  // rows at powers of two apart would share few lines of the cache
        a.w = at, a.b = at + a.in * a.J, at = a.b + a.J;
        a.w_row = net->starts[2 * l], a.b_row = net->starts[2 * l + 1];
        each += 2 * a.J * (int64_t)sizeof(V);
        if (a.J > widest_J) widest_J = a.J;
    }
    k->gates = net->gates, k->gate = at, k->gate_start = net->gate_start, k->gate_rate = (float)net->gate_rate;
    at += k->gates;
    Layer& features = k->layer[-1];
    features.out = k->D, features.J = (k->D + LANES - 1) / LANES;
    features.row = features.J % 8 ? features.J : features.J + 1;
    if (net->convolution_count) {
        k->S = pictures_at_once(net, rows, ranks);
        k->pictures = open_pictures(net, k->S, ranks, units == EXAMPLES, failed);
        if (failed) return close_block(k), nullptr;
        k->filters = at, at += k->pictures->parameters / LANES;
        features.d = buffer<V>(k->S * features.row, failed);
    }
    k->size = at;
    const int64_t weights = at * (int64_t)sizeof(V);  // they are read again for every chunk
    if (!k->pictures) {
        k->S = (weights > CHUNK_BYTES ? weights : CHUNK_BYTES) / each / MR * MR;
        k->S = k->S < 4 * MR ? 4 * MR : k->S;
        k->S = k->S < rows ? k->S : rows;
    }
    const bool apart = k->dropout || by_input(k->activation);
    for (int64_t l = 0; l < k->layers; l++) {
        Layer& a = k->layer[l];
        a.value = buffer<V>(k->S * a.row, failed), a.d = buffer<V>(k->S * a.row, failed);
        a.output = apart && l + 1 < k->layers ? buffer<V>(k->S * a.row, failed) : a.value;
        if (units && (l || k->pictures)) a.transposed = buffer<V>(a.out * k->layer[l - 1].J, failed);
    }
    const int64_t C = k->C, classes = net->target_CC ? C : 0;
    k->target_CC = net->target_CC, k->weight_C = net->weight_C, k->hash = hash;
    k->slots = classes < rows ? classes : rows;  // a batch has no more classes than rows
    k->slot_C = buffer<int64_t>(classes, failed);
    k->scaled = buffer<float>(k->slots * classes, failed), k->scaled_mass = buffer<float>(k->slots, failed);
    V** states[] = {&k->state.p, &k->state.g, &k->state.m, &k->state.v};
    for (V** state : states)
        if (state != &k->state.v || k->optimizer != SGD) *state = buffer<V>(k->size + 1, failed);
    if (net->averages) k->state.average = buffer<V>(k->size + 1, failed);
    k->place = buffer<int32_t>(units ? 1 : k->n, failed);
    for (V*& packed : k->packed) packed = buffer<V>(k->S * widest_J, failed);
    k->x_row = k->pictures ? features.row * LANES : k->D % 128 ? k->D : k->D + 16;  // as Layer's row
    k->x = buffer<float>((k->pictures ? 1 : ranks) * k->S * k->x_row, failed), k->row = buffer<int64_t>(k->S, failed);
    k->target = buffer<float>(k->S * C, failed);
    if (k->gates) {
        k->column_D = buffer<int64_t>(k->D, failed);
        k->gated = buffer<V>(k->D * k->layer->J, failed), k->gated_d = buffer<V>(k->D * k->layer->J, failed);
    }
    k->scratch = buffer<V>(ranks * 4 * C, failed), k->loss_S = buffer<V>(k->S, failed);
    k->weight_S = buffer<V>(k->S, failed);
    k->rank = buffer<Rank>(ranks, failed), k->team.ranks = ranks;
    if (failed) return close_block(k), nullptr;
    for (int32_t i = 0; i < ranks; i++) k->rank[i] = {&k->team, i, ranks, 0, nullptr};
    for (int64_t i = 0; !units && i < k->n; i++) k->place[i] = (int32_t)k->size;  // of what fills a row up
    for (int64_t g = 0; !units && g < k->gates; g++) k->place[k->gate_start + g] = (int32_t)(k->gate + g);
    for (int64_t i = 0; k->gates && i < k->D; i++) k->column_D[i] = net->column_D[i];
    for (int64_t l = 0; !units && l < k->layers; l++) {
        const Layer& a = k->layer[l];
        for (int64_t j = 0; j < a.out; j++) {
            for (int64_t i = 0; i < a.in; i++) k->place[a.w_row + j * a.in + i] = (int32_t)(a.w + i * a.J + j);
            k->place[a.b_row + j] = (int32_t)(a.b + j);
        }
    }
    return k;
}

// ---- members in and out

// Both go by blocks of LANES vectors that are transposed: of members' rows, each a lane, or of units' weights.
// INTO: from the population into the block, else back.
template <bool INTO> INLINE void move_block(V* (&to)[LANES], float* (&row)[LANES], int64_t lanes, int64_t n) {
    V m[LANES];
    for (int64_t i = 0; i < LANES; i++)
        if (INTO) m[i] = i < lanes ? unaligned(row[i], n) : V{};
        else m[i] = i < n ? *to[i] : V{};
    transpose(m);
    if (INTO) for (int64_t c = 0; c < n; c++) *to[c] = m[c];
    else for (int64_t lane = 0; lane < lanes; lane++) put_unaligned(row[lane], m[lane], n);
}

template <bool INTO> static void move_members(const Block& k, V* block, float* population) {
    for (int64_t i = 0; i < k.n; i += LANES) {
        const int64_t n = k.n - i < LANES ? k.n - i : LANES;
        V* to[LANES];
        float* row[LANES];
        for (int64_t c = 0; c < n; c++) to[c] = block + k.place[i + c];
        for (int64_t lane = 0; lane < LANES; lane++) row[lane] = population + k.member[lane] * k.n + i;
        move_block<INTO>(to, row, INTO ? LANES : k.used, n);
    }
}

template <bool INTO> static void move_units(const Block& k, V* block, float* population) {
    float* member = population + k.member[0] * k.n;
    if (k.pictures) move_convolutions<INTO>(*k.pictures, (float*)(block + k.filters), member);
    const auto move = [&](const Layer& a, int64_t unit, V* first, int64_t step, V* bias) {
        const int64_t lanes = a.out - unit < LANES ? a.out - unit : LANES;
        if (INTO) *bias = unaligned(member + a.b_row + unit, lanes);
        else put_unaligned(member + a.b_row + unit, *bias, lanes);
        for (int64_t i = 0; i < a.in; i += LANES) {
            const int64_t n = a.in - i < LANES ? a.in - i : LANES;
            V* to[LANES];
            float* row[LANES];
            for (int64_t c = 0; c < n; c++) to[c] = first + (i + c) * step;
            float* first_row = member + a.w_row + unit * a.in + i;
            for (int64_t lane = 0; lane < lanes; lane++) row[lane] = first_row + lane * a.in;
            move_block<INTO>(to, row, lanes, n);
        }
    };
    for (int64_t g = 0; g < k.gates; g++)
        if (INTO) block[k.gate + g] = splat(member[k.gate_start + g]);
        else member[k.gate_start + g] = block[k.gate + g][0];
    for (int64_t l = 0; l < k.layers; l++) {
        const Layer& a = k.layer[l];
        const Matrix weights = weights_of(k, a, block);
        each_panel(a.J, [&](int64_t j0, int64_t wide) {
            for (int64_t j = j0; j < j0 + wide; j++)
                move(a, j * LANES, weights.of(0, j0, wide) + j - j0, wide, block + a.b + j);
        });
    }
}

static void fetch(const Block& k, V* block, float* population) {
    if (k.units) move_units<true>(k, block, population); else move_members<true>(k, block, population);
}

static void put(const Block& k, V* block, float* population) {
    if (k.units) move_units<false>(k, block, population); else move_members<false>(k, block, population);
}

// The members from number `first` on; lanes that are left over hold the first one again.
static void assign_lanes(Block& k, const Members& m, int64_t first) {
    const int64_t left = m.count - first, most = k.units ? 1 : LANES;
    k.used = left < most ? left : most;
    for (int lane = 0; lane < LANES; lane++) k.member[lane] = m.row_R[first + (lane < k.used ? lane : 0)];
}

static void load(Block& k, const Members& m, const Steps& steps, int64_t first) {
    assign_lanes(k, m, first);
    for (int lane = 0; lane < LANES; lane++)
        k.weight_of[lane] = steps.weight_GN ? steps.weight_GN + (m.bag_P ? m.bag_P[k.member[lane]] : 0) * steps.rows : nullptr;
    fetch(k, k.state.p, m.params);
    if (k.summed) fetch(k, k.state.g, m.grads);
    fetch(k, k.state.m, m.moments[0]);
    if (k.state.v) fetch(k, k.state.v, m.moments[1]);
    if (k.state.average) fetch(k, k.state.average, m.average);
    Numbers& n = k.numbers;
    k.clips = false;
    for (int lane = 0; lane < LANES; lane++) {
        const int64_t p = k.member[lane];
        n.decay[lane] = (float)m.hp[WEIGHT_DECAY][p], n.momentum[lane] = (float)m.hp[MOMENTUM][p];
        n.moving[lane] = m.hp[MOMENTUM][p] != 0 ? -1 : 0;
        n.averaging[lane] = m.hp[EMA][p] != 0 ? -1 : 0;
        n.less_beta1[lane] = (float)(1 - m.hp[BETA1][p]), n.beta2[lane] = (float)m.hp[BETA2][p];
        n.less_beta2[lane] = (float)(1 - m.hp[BETA2][p]), n.eps[lane] = (float)m.hp[EPS][p];
        n.clip[lane] = (float)m.hp[CLIP][p], k.clips |= n.clip[lane] != INFINITE;
        k.threshold[lane] = dropout_threshold(m.hp[DROPOUT][p]);
        k.kept_scale[lane] = (float)(1 / (1 - m.hp[DROPOUT][p]));
    }
    k.scaled_by = 0;
}

static void store(Block& k, const Members& m) {
    put(k, k.state.p, m.params), put(k, k.state.g, m.grads), put(k, k.state.m, m.moments[0]);
    if (k.state.v) put(k, k.state.v, m.moments[1]);
    if (k.state.average) put(k, k.state.average, m.average);
}

}  // namespace LANES_SET
