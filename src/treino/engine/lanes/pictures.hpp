// The convolutional part of a network: from pictures to the features that its linear layers get, and back.
//
// Examples go in blocks, one in each lane; a block passes all convolutions with its numbers at hand. Of the
// gradient each example has its own sum over its pixels; the examples of a sixteen are added in order, then the
// sixteens in order. So neither the width of a vector nor who computes which sixteen changes a bit.
//
//     x of convolution l, with its border ─ filter ─▶ z ─ group norm ─ skip ─ activation ─ pool ─▶ x of l + 1
//     up of l  ◀─ filter backwards ─ d, with border ◀─ norm ◀─ skip ◀─ activation ◀─ pool ─ up of l + 1
//                                    └─ with x: the gradient
//
// ReLU with or without a pool needs none of what lies between: it is the epilogue of the filter's tiles.
#pragma once
#include <cmath>
#include <cstdlib>

#include "convolution.hpp"

namespace LANES_SET {

constexpr int SIXTEEN = 16;           // examples whose gradients are added before those of other sixteens
constexpr int64_t TENSOR_PAD = 16;    // floats to which each tensor is padded
constexpr float NORM_EPS = 1e-5f;

// Padded to whole vectors, zeroed, on lines of 64 bytes. Null: no memory.
template <class T> static T* buffer(int64_t count, bool& failed) {
    const size_t bytes = ((size_t)(count > 0 ? count : 1) * sizeof(T) + 63) / 64 * 64;
    void* p = failed ? nullptr : std::aligned_alloc(64, bytes);
    if (!p) failed = true; else std::memset(p, 0, bytes);
    return (T*)p;
}

struct Convolution {
    ConvolutionShape s;
    int64_t weight, bias, scale, shift;  // in the block's parameters: [ky][kx][in][out], [out], [out], [out]
    bool fused;                          // ReLU, and no or a max pool, is the epilogue of the filter
    int64_t high, wide;                  // of what the next one gets
    int64_t x_row, x_size;               // vectors of its input with border: of a row, of a block
    int64_t z_size, size;                // vectors of a block before the pool, and of what the next one gets
    int64_t ring, d_row;                 // of d: zeros before it, vectors of a row
    int64_t band;                        // rows whose gradient is computed together
    float* backwards;                    // [ky][kx][out][in], the kernel the other way round
    // of all blocks of the rows at hand
    V* x;
    Choice* choice;                      // of a max pool
    V *z, *value;                        // before the norm; what the activation's derivative is had from
    V *mean, *inverse;                   // [groups], of group norm
};

struct Workspace {  // of one worker, for one convolution
    V *d, *up;                 // the derivatives by z, with a ring of zeros, and by x
    V *e, *skip;               // by z without a ring; what a skip adds to up
    V *sum, *bias_sum;         // the gradient of each example
    V *scale_sum, *shift_sum;  // of group norm's, and its sums
    V *packed_x, *packed_d;
};

struct Pictures {
    int64_t count, groups, rows, activation;
    int64_t channels, high, wide;      // of a picture
    int64_t features, parameters;      // numbers of a row that come out; floats of a block's parameters
    bool mean;
    int64_t workers;
    Convolution* convolution;
    Workspace* workspace;              // [workers][count]
    V *last, *last_value;              // what the last one gives, all blocks
    V *last_up, *feature;              // [workers][...]: its derivative; a row's features, examples in lanes
    float* part;                       // [sixteens][parameters]: their gradients
};

static void close_pictures(Pictures* p) {
    if (!p) return;
    for (int64_t l = 0; p->convolution && l < p->count; l++) {
        const Convolution& c = p->convolution[l];
        if (c.value != c.z) std::free(c.value);
        for (void* some : {(void*)c.backwards, (void*)c.x, (void*)c.choice, (void*)c.z, (void*)c.mean, (void*)c.inverse})
            std::free(some);
    }
    for (int64_t i = 0; p->workspace && i < p->workers * p->count; i++) {
        const Workspace& w = p->workspace[i];
        for (V* some : {w.d, w.up, w.e, w.skip, w.sum, w.bias_sum, w.scale_sum, w.shift_sum, w.packed_x, w.packed_d})
            std::free(some);
    }
    for (void* some : {(void*)p->convolution, (void*)p->workspace, (void*)p->last, (void*)p->last_up, (void*)p->feature,
                       (void*)p->part})
        std::free(some);
    std::free(p);
}

constexpr int64_t PICTURE_BYTES = 8 << 20;  // of the numbers that are kept from the pass forward to the pass back

// How many rows go through together: so many that their numbers stay in the last cache.
static int64_t pictures_at_once(const Network* net, int64_t rows) {
    int64_t bytes = 1;
    for (int64_t l = 0; l < net->convolution_count; l++) {
        const ConvolutionShape& s = net->convolutions[l];
        bytes += (s.height + 2 * s.padding) * (s.width + 2 * s.padding) * s.inputs * 4;
        bytes += s.out_height * s.out_width * s.outputs * 8;
    }
    int64_t sixteens = PICTURE_BYTES / bytes / SIXTEEN;
    sixteens = sixteens < 1 ? 1 : sixteens;
    const int64_t all = (rows + SIXTEEN - 1) / SIXTEEN;
    return (sixteens < all ? sixteens : all) * SIXTEEN;
}

// rows: examples whose numbers are kept from the pass forward to the pass back.
static Pictures* open_pictures(const Network* net, int64_t rows, int64_t workers, bool& failed) {
    Pictures* p = buffer<Pictures>(1, failed);
    if (failed) return nullptr;
    p->count = net->convolution_count, p->groups = net->groups, p->mean = net->mean;
    p->workers = workers, p->activation = net->activation;
    p->channels = net->convolutions->inputs, p->high = net->convolutions->height, p->wide = net->convolutions->width;
    p->convolution = buffer<Convolution>(p->count, failed);
    p->workspace = buffer<Workspace>(workers * p->count, failed);
    if (failed) return close_pictures(p), nullptr;
    const int64_t sixteens = (rows + SIXTEEN - 1) / SIXTEEN, blocks = sixteens * SIXTEEN / LANES;
    p->rows = sixteens * SIXTEEN;
    int64_t at = 0;
    const auto tensor = [&](int64_t n) { return (at += (n + TENSOR_PAD - 1) / TENSOR_PAD * TENSOR_PAD) - (n + TENSOR_PAD - 1) / TENSOR_PAD * TENSOR_PAD; };
    for (int64_t l = 0; l < p->count; l++) {
        Convolution& c = p->convolution[l];
        const ConvolutionShape& s = c.s = net->convolutions[l];
        const int64_t weights = s.kernel * s.kernel * s.inputs * s.outputs;
        c.weight = tensor(weights), c.bias = tensor(s.outputs);
        if (p->groups) c.scale = tensor(s.outputs), c.shift = tensor(s.outputs);
        c.fused = net->activation == RELU && !p->groups && !s.skip && s.pool != AVERAGE_POOL;
        c.high = s.pool == NO_POOL ? s.out_height : s.out_height / 2;
        c.wide = s.pool == NO_POOL ? s.out_width : s.out_width / 2;
        c.x_row = (s.width + 2 * s.padding) * s.inputs, c.x_size = (s.height + 2 * s.padding) * c.x_row;
        c.z_size = s.out_height * s.out_width * s.outputs, c.size = c.high * c.wide * s.outputs;
        c.ring = l ? s.kernel - 1 - s.padding : 0;
        c.d_row = (l ? s.width + s.kernel - 1 : s.out_width) * s.outputs;
        c.band = BAND / s.out_width / 2 * 2;
        c.band = c.band < 2 ? 2 : c.band;
        c.band = c.band < s.out_height ? c.band : s.out_height;
        if (l) c.backwards = buffer<float>(weights, failed);
        c.x = buffer<V>(c.x_size * blocks, failed);
        if (s.pool == MAX_POOL) c.choice = buffer<Choice>(c.size * blocks, failed);
        if (!c.fused) c.z = c.value = buffer<V>(c.z_size * blocks, failed);
        if (p->groups) {
            c.value = buffer<V>(c.z_size * blocks, failed);
            c.mean = buffer<V>(p->groups * blocks, failed), c.inverse = buffer<V>(p->groups * blocks, failed);
        }
        for (int64_t worker = 0; worker < workers; worker++) {
            Workspace& w = p->workspace[worker * p->count + l];
            w.d = buffer<V>((l ? s.height + s.kernel - 1 : c.band) * c.d_row, failed);
            w.up = buffer<V>(s.height * s.width * s.inputs, failed);
            if (!c.fused) w.e = buffer<V>(c.z_size, failed);
            if (l + 1 < p->count && net->convolutions[l + 1].skip) w.skip = buffer<V>(s.height * s.width * s.inputs, failed);
            w.sum = buffer<V>(weights, failed), w.bias_sum = buffer<V>(s.outputs, failed);
            if (p->groups) w.scale_sum = buffer<V>(s.outputs, failed), w.shift_sum = buffer<V>(s.outputs, failed);
            const int64_t x_rows = (c.band - 1) * s.stride + s.kernel;
            w.packed_x = buffer<V>(x_rows * (s.width + 2 * s.padding) * GRADIENT_NR, failed);
            w.packed_d = buffer<V>(c.band * s.out_width * s.outputs, failed);
        }
    }
    const Convolution& end = p->convolution[p->count - 1];
    p->parameters = at, p->features = p->mean ? end.s.outputs : end.size;
    p->last = buffer<V>(end.size * blocks, failed);
    p->last_up = buffer<V>(end.size * workers, failed), p->feature = buffer<V>((p->features + LANES) * workers, failed);
    p->part = buffer<float>(at * sixteens, failed);
    if (failed) return close_pictures(p), nullptr;
    return p;
}

// What the pass down multiplies with: each kernel the other way round, its channels exchanged.
static void turn_kernels(const Pictures& p, const float* parameters) {
    for (int64_t l = 1; l < p.count; l++) {
        const Convolution& c = p.convolution[l];
        const int64_t places = c.s.kernel * c.s.kernel, in = c.s.inputs, out = c.s.outputs;
        const float* w = parameters + c.weight;
        for (int64_t t = 0; t < places; t++)
            for (int64_t i = 0; i < in; i++)
                for (int64_t o = 0; o < out; o++) c.backwards[((places - 1 - t) * out + o) * in + i] = w[(t * in + i) * out + o];
    }
}

// n rows of `size` floats, `row` apart, and as many vectors with the rows in lanes. INTO: into the vectors.
template <bool INTO> static void transpose_rows(float* rows, int64_t row, int64_t n, int64_t size, V* v) {
    for (int64_t i = 0; i < size; i += LANES) {
        const int64_t m = size - i < LANES ? size - i : LANES;
        V t[LANES];
        for (int64_t l = 0; l < LANES; l++)
            if (INTO) t[l] = l < n ? unaligned(rows + l * row + i, m) : V{};
            else t[l] = l < m ? v[i + l] : V{};
        transpose(t);
        for (int64_t l = 0; l < (INTO ? m : n); l++)
            if (INTO) v[i + l] = t[l];
            else put_unaligned(rows + l * row + i, t[l], m);
    }
}

// Where what convolution l gives begins, and its rows: in the next one's input, within its border.
INLINE V* output_of(const Pictures& p, int64_t l, int64_t block, int64_t& row) {
    const Convolution& c = p.convolution[l];
    if (l + 1 == p.count) return row = c.wide * c.s.outputs, p.last + block * c.size;
    const Convolution& next = p.convolution[l + 1];
    row = next.x_row;
    return next.x + block * next.x_size + next.s.padding * (next.x_row + next.s.inputs);
}

// ---- forward

// value ← the normalised z, scaled and shifted. Sums go over a channel's pixels, then over a group's channels.
static void group_norm(const Pictures& p, const Convolution& c, const Workspace& w, const float* parameters, int64_t block) {
    const int64_t channels = c.s.outputs, pixels = c.s.out_height * c.s.out_width, each = channels / p.groups;
    const V* z = c.z + block * c.z_size;
    V *value = c.value + block * c.z_size, *sum = w.shift_sum;
    V *mean = c.mean + block * p.groups, *inverse = c.inverse + block * p.groups;
    const float share = 1.f / (float)(pixels * each);
    const auto total = [&](int64_t g) {
        V all{};
        for (int64_t j = g * each; j < (g + 1) * each; j++) all += sum[j];
        return all * share;
    };
    for (int64_t j = 0; j < channels; j++) sum[j] = V{};
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < channels; j++) sum[j] += z[i * channels + j];
    for (int64_t g = 0; g < p.groups; g++) mean[g] = total(g);
    for (int64_t j = 0; j < channels; j++) sum[j] = V{};
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < channels; j++) {
            const V apart = z[i * channels + j] - mean[j / each];
            sum[j] = fma(apart, apart, sum[j]);
        }
    for (int64_t g = 0; g < p.groups; g++) inverse[g] = 1.f / root(total(g) + NORM_EPS);
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < channels; j++)
            value[i * channels + j] = fma((z[i * channels + j] - mean[j / each]) * inverse[j / each],
                                          splat(parameters[c.scale + j]), splat(parameters[c.shift + j]));
}

static void pool_forward(const Convolution& c, const V* y, int64_t block, V* to, int64_t to_row) {
    const int64_t channels = c.s.outputs, row = c.s.out_width * channels;
    for (int64_t r = 0; r < c.high; r++)
        for (int64_t i = 0; i < c.wide; i++)
            for (int64_t j = 0; j < channels; j++) {
                V* out = to + r * to_row + i * channels + j;
                if (c.s.pool == NO_POOL) {
                    *out = y[r * row + i * channels + j];
                    continue;
                }
                const V* four = y + 2 * r * row + 2 * i * channels + j;
                const V square[4] = {four[0], four[channels], four[row], four[row + channels]};
                if (c.s.pool == AVERAGE_POOL) {
                    *out = (((square[0] + square[1]) + square[2]) + square[3]) * 0.25f;
                    continue;
                }
                V best = square[0];
                VI which{};
                for (int n = 1; n < 4; n++) {
                    const VI more = (square[n] > best) | (square[n] != square[n]);
                    best = more ? square[n] : best, which = more ? splat_int(n) : which;
                }
                *out = best;
                c.choice[block * c.size + (r * c.wide + i) * channels + j] = narrowed(which);
            }
}

static void convolve(const Pictures& p, const float* parameters, int64_t l, int64_t block, const Workspace& w) {
    const Convolution& c = p.convolution[l];
    const V* x = c.x + block * c.x_size;
    int64_t to_row;
    V* to = output_of(p, l, block, to_row);
    Filter f{x, c.s.inputs, c.s.outputs, c.s.kernel, c.s.stride, c.x_row, c.s.padding, c.s.height, c.s.width,
             c.s.out_height, c.s.out_width, parameters + c.weight, parameters + c.bias, to, to_row, RELU_OUTPUT, nullptr};
    if (c.fused) {
        if (c.s.pool == MAX_POOL) f.epilogue = RELU_AND_MAX, f.choice = c.choice + block * c.size;
        return filter(f);
    }
    V *z = c.z + block * c.z_size, *value = c.value + block * c.z_size;
    f.to = z, f.to_row = c.s.out_width * c.s.outputs, f.epilogue = PLAIN_OUTPUT;
    filter(f);
    if (p.groups) group_norm(p, c, w, parameters, block);
    if (c.s.skip) {
        const Convolution& before = p.convolution[l - 1];
        const V* from = before.x + block * before.x_size + before.s.padding * (before.x_row + before.s.inputs);
        for (int64_t r = 0; r < before.s.height; r++)
            for (int64_t i = 0; i < before.s.width * before.s.inputs; i++)
                value[r * before.s.width * before.s.inputs + i] += from[r * before.x_row + i];
    }
    V* y = by_input((int32_t)p.activation) ? w.e : value;
    with_activation((int32_t)p.activation, [&](auto chosen) {
        for (int64_t i = 0; i < c.z_size; i++) y[i] = activated<decltype(chosen)::value>(value[i]);
    });
    pool_forward(c, y, block, to, to_row);
}

// Examples `first` to first + n of the rows at hand, whose pictures are rows[0..n): [channel][y][x] each.
// features [n][row] floats, in torch's order: [channel][y][x].
static void pictures_forward(const Pictures& p, const float* parameters, const float* const* rows, int64_t block,
                             int64_t n, int64_t worker, float* features, int64_t row) {
    const Convolution &first = p.convolution[0], &end = p.convolution[p.count - 1];
    V* into = first.x + block * first.x_size + first.s.padding * (first.x_row + first.s.inputs);
    for (int64_t ch = 0; ch < p.channels; ch++)
        for (int64_t y = 0; y < p.high; y++)
            for (int64_t i = 0; i < p.wide; i += LANES) {
                const int64_t m = p.wide - i < LANES ? p.wide - i : LANES;
                V t[LANES];
                for (int64_t l = 0; l < LANES; l++) t[l] = unaligned(rows[l < n ? l : 0] + (ch * p.high + y) * p.wide + i, m);
                transpose(t);
                for (int64_t c = 0; c < m; c++) into[y * first.x_row + (i + c) * p.channels + ch] = t[c];
            }
    for (int64_t l = 0; l < p.count; l++) convolve(p, parameters, l, block, p.workspace[worker * p.count + l]);
    const int64_t channels = end.s.outputs, pixels = end.high * end.wide;
    const V* last = p.last + block * end.size;
    V* feature = p.feature + worker * (p.features + LANES);
    for (int64_t j = 0; j < channels; j++) {
        V sum{};
        for (int64_t i = 0; i < pixels; i++)
            if (p.mean) sum += last[i * channels + j];
            else feature[j * pixels + i] = last[i * channels + j];
        if (p.mean) feature[j] = sum * (1.f / (float)pixels);
    }
    transpose_rows<false>(features, row, n, p.features, feature);
}

// ---- backward

// Rows y0 to y1 of the derivative by z, out of that by what the next one gets; the bias's gradient by the way.
static void activation_backward(const Convolution& c, const V* y, int64_t y_row, int64_t block, const V* up, const Workspace& w,
                                V* d, int64_t d_row, int64_t d_step, int64_t y0, int64_t y1) {
    const int64_t channels = c.s.outputs;
    V* bias_sum = w.bias_sum;
    if (!c.fused) {
        for (int64_t r = y0; r < y1; r++)
            for (int64_t i = 0; i < c.s.out_width; i++)
                for (int64_t j = 0; j < channels; j++) {
                    const V g = w.e[(r * c.s.out_width + i) * channels + j];
                    d[(r - y0) * d_row + i * d_step + j] = g;
                    bias_sum[j] += g;
                }
        return;
    }
    if (c.s.pool == NO_POOL) {
        for (int64_t r = y0; r < y1; r++)
            for (int64_t i = 0; i < c.s.out_width; i++)
                for (int64_t j = 0; j < channels; j++) {
                    const V g = up[(r * c.wide + i) * channels + j];
                    const V o = y[r * y_row + i * channels + j] <= 0.f ? V{} : g;
                    d[(r - y0) * d_row + i * d_step + j] = o;
                    bias_sum[j] += o;
                }
        return;
    }
    const Choice* choice = c.choice + block * c.size;
    const int64_t r1 = y1 / 2 < c.high ? y1 / 2 : c.high;
    for (int64_t r = y0 / 2; r < r1; r++)
        for (int64_t i = 0; i < c.wide; i++)
            for (int64_t j = 0; j < channels; j++) {
                const int64_t at = (r * c.wide + i) * channels + j;
                const VI which = widened(choice[at]);
                const V g = up[at];
                V* o = d + (2 * r - y0) * d_row + 2 * i * d_step + j;
                UNROLL for (int n = 0; n < 4; n++) o[(n >> 1) * d_row + (n & 1) * d_step] = which == n ? g : V{};
                bias_sum[j] += which == DEAD ? V{} : g;
            }
}

// e ← the derivative by z, out of that by what the next one gets, through pool, activation, skip and norm.
static void general_backward(const Pictures& p, const float* parameters, int64_t l, int64_t block, int64_t worker, const V* up) {
    const Convolution& c = p.convolution[l];
    const Workspace& w = p.workspace[worker * p.count + l];
    const int64_t channels = c.s.outputs, row = c.s.out_width * channels, pixels = c.s.out_height * c.s.out_width;
    V* e = w.e;
    if (c.s.pool == NO_POOL) std::memcpy(e, up, (size_t)c.z_size * sizeof(V));
    else std::memset(e, 0, (size_t)c.z_size * sizeof(V));  // an odd edge has no part in a pool
    for (int64_t r = 0; c.s.pool != NO_POOL && r < c.high; r++)
        for (int64_t i = 0; i < c.wide; i++)
            for (int64_t j = 0; j < channels; j++) {
                const int64_t at = (r * c.wide + i) * channels + j;
                V* o = e + 2 * r * row + 2 * i * channels + j;
                const VI which = c.s.pool == MAX_POOL ? widened(c.choice[block * c.size + at]) : VI{};
                for (int n = 0; n < 4; n++)
                    o[(n >> 1) * row + (n & 1) * channels] =
                        c.s.pool == AVERAGE_POOL ? up[at] * 0.25f : which == n ? up[at] : V{};
            }
    const V* value = c.value + block * c.z_size;
    with_activation((int32_t)p.activation, [&](auto chosen) {
        for (int64_t i = 0; i < c.z_size; i++) e[i] = chained<decltype(chosen)::value>(e[i], value[i]);
    });
    if (c.s.skip) std::memcpy(p.workspace[worker * p.count + l - 1].skip, e, (size_t)c.z_size * sizeof(V));
    if (!p.groups) return;
    const int64_t each = channels / p.groups;
    const V *z = c.z + block * c.z_size, *mean = c.mean + block * p.groups, *inverse = c.inverse + block * p.groups;
    const float share = 1.f / (float)(pixels * each);
    for (int64_t j = 0; j < channels; j++) w.scale_sum[j] = w.shift_sum[j] = V{};
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < channels; j++) {
            const V normal = (z[i * channels + j] - mean[j / each]) * inverse[j / each], g = e[i * channels + j];
            w.scale_sum[j] = fma(g, normal, w.scale_sum[j]), w.shift_sum[j] += g;
        }
    for (int64_t g = 0; g < p.groups; g++) {
        V along{}, sum{};
        for (int64_t j = g * each; j < (g + 1) * each; j++) {
            const V scale = splat(parameters[c.scale + j]);
            along = fma(w.scale_sum[j], scale, along), sum = fma(w.shift_sum[j], scale, sum);
        }
        along *= share, sum *= share;
        for (int64_t i = 0; i < pixels; i++)
            for (int64_t j = g * each; j < (g + 1) * each; j++) {
                const V normal = (z[i * channels + j] - mean[g]) * inverse[g];
                const V through = fma(e[i * channels + j], splat(parameters[c.scale + j]), -sum);
                e[i * channels + j] = fma(normal, -along, through) * inverse[g];
            }
    }
}

// part += the lanes' sums in their order.
static void add_examples(const V* sum, int64_t n, float* part) {
    for (int64_t i = 0; i < n; i += LANES) {
        const int64_t m = n - i < LANES ? n - i : LANES;
        V t[LANES], total = unaligned(part + i, m);
        for (int64_t l = 0; l < LANES; l++) t[l] = l < m ? sum[i + l] : V{};
        transpose(t);
        for (int64_t l = 0; l < LANES; l++) total += t[l];
        put_unaligned(part + i, total, m);
    }
}

// Of a block, from its features' derivatives, [n][row] floats, to its part of the parameters' gradients.
static void pictures_backward(const Pictures& p, const float* parameters, int64_t block, int64_t n, int64_t worker,
                              float* features_d, int64_t row) {
    const Convolution& end = p.convolution[p.count - 1];
    const int64_t channels = end.s.outputs, pixels = end.high * end.wide;
    V *feature = p.feature + worker * (p.features + LANES), *last_up = p.last_up + worker * end.size;
    float* part = p.part + block * LANES / SIXTEEN * p.parameters;
    if (block * LANES % SIXTEEN == 0) std::memset(part, 0, (size_t)p.parameters * sizeof(float));
    transpose_rows<true>(features_d, row, n, p.features, feature);
    for (int64_t j = 0; j < channels; j++)
        for (int64_t i = 0; i < pixels; i++)
            last_up[i * channels + j] = p.mean ? feature[j] * (1.f / (float)pixels) : feature[j * pixels + i];
    for (int64_t l = p.count - 1; l >= 0; l--) {
        const Convolution& c = p.convolution[l];
        const Workspace& w = p.workspace[worker * p.count + l];
        const V* up = l + 1 < p.count ? p.workspace[worker * p.count + l + 1].up : last_up;
        if (!c.fused) general_backward(p, parameters, l, block, worker, up);
        int64_t y_row;
        const V *y = output_of(p, l, block, y_row), *x = c.x + block * c.x_size;
        const int64_t stride = l ? c.s.stride : 1, out = c.s.outputs;
        std::memset(w.bias_sum, 0, (size_t)out * sizeof(V));
        for (int64_t y0 = 0; y0 < c.s.out_height; y0 += c.band) {
            const int64_t y1 = y0 + c.band < c.s.out_height ? y0 + c.band : c.s.out_height;
            V* d = l ? w.d + (c.ring + stride * y0) * c.d_row + c.ring * out : w.d;
            const bool odd = c.s.pool == MAX_POOL && (c.s.out_height % 2 || c.s.out_width % 2);
            if (!l && odd) std::memset(d, 0, (size_t)(c.band * c.d_row) * sizeof(V));
            activation_backward(c, y, y_row, block, up, w, d, stride * c.d_row, stride * out, y0, y1);
            filter_gradient({x, c.s.inputs, out, c.s.kernel, c.s.stride, c.x_row, c.s.width + 2 * c.s.padding, d,
                             stride * c.d_row, stride * out, c.s.out_width, w.packed_x, w.packed_d, w.sum},
                            y0, y1);
        }
        if (l) {
            const int64_t numbers = c.s.width * c.s.inputs;
            filter({w.d, out, c.s.inputs, c.s.kernel, 1, c.d_row, c.ring, stride * (c.s.out_height - 1) + 1,
                    stride * (c.s.out_width - 1) + 1, c.s.height, c.s.width, c.backwards, nullptr, w.up, numbers,
                    PLAIN_OUTPUT, nullptr});
            for (int64_t i = 0; w.skip && i < c.s.height * numbers; i++) w.up[i] += w.skip[i];
        }
        add_examples(w.sum, c.s.kernel * c.s.kernel * c.s.inputs * out, part + c.weight);
        add_examples(w.bias_sum, out, part + c.bias);
        if (p.groups) add_examples(w.scale_sum, out, part + c.scale), add_examples(w.shift_sum, out, part + c.shift);
    }
}

// g ← (g where `more`, else 0) + the parts of all sixteens of n rows, in order.
static void add_parts(const Pictures& p, int64_t n, bool more, float* g) {
    for (int64_t i = 0; i < p.parameters; i += LANES) {
        V sum = more ? unaligned(g + i) : V{};
        for (int64_t s = 0; s < (n + SIXTEEN - 1) / SIXTEEN; s++) sum += unaligned(p.part + s * p.parameters + i);
        std::memcpy(g + i, &sum, sizeof sum);
    }
}

// ---- parameters in and out of a member's row

template <bool INTO> static void move_convolutions(const Pictures& p, float* block, float* member) {
    const auto move = [&](float& inside, float& outside) { if (INTO) inside = outside; else outside = inside; };
    for (int64_t l = 0; l < p.count; l++) {
        const Convolution& c = p.convolution[l];
        const int64_t places = c.s.kernel * c.s.kernel, in = c.s.inputs, out = c.s.outputs;
        for (int64_t o = 0; o < out; o++) {
            for (int64_t i = 0; i < in; i++)
                for (int64_t t = 0; t < places; t++)
                    move(block[c.weight + (t * in + i) * out + o], member[c.s.weight + (o * in + i) * places + t]);
            move(block[c.bias + o], member[c.s.bias + o]);
            if (p.groups) move(block[c.scale + o], member[c.s.scale + o]), move(block[c.shift + o], member[c.s.shift + o]);
        }
    }
}

}  // namespace LANES_SET
