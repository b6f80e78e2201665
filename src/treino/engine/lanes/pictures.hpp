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
//
// The last convolutions whose channels are all multiples of 16 go example by example, with channels in the
// lanes: no lane is idle where a batch isn't full. A unit is what goes together: a block, or one example.
#pragma once
#include <cmath>
#include <cstdlib>

#include "augmentation.hpp"
#include "convolution.hpp"
#include "team.hpp"

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
    bool by_channels;                    // whether lanes hold channels, and a unit is one example
    bool fused;                          // ReLU, and no or a max pool, is the epilogue of the filter
    int64_t in, out;                     // vectors of a pixel
    int64_t high, wide;                  // of what the next one gets
    int64_t x_row, x_size;               // vectors of its input with border: of a row, of a unit
    int64_t z_size, size;                // vectors of a unit before the pool, and of what the next one gets
    int64_t ring, d_row;                 // of d: zeros before it, vectors of a row
    int64_t band;                        // rows whose gradient is computed together
    float* backwards;                    // [ky][kx][out][in], the kernel the other way round
    // of all units of the rows at hand
    V* x;
    Choice* choice;                      // of a max pool
    V *z, *value;                        // before the norm; what the activation's derivative is had from
    V *mean, *inverse;                   // [out], of each channel's group
};

struct Workspace {  // of one worker, for one convolution
    V *d, *up;                 // the derivatives by z, with a ring of zeros, and by x (of a block's units)
    V *e, *skip;               // by z without a ring; what a skip adds to up
    V *sum, *bias_sum;         // the gradient of each example
    V *scale_sum, *shift_sum, *total;  // of group norm's, and of its groups
    V *packed_x, *packed_d;
};

struct Pictures {
    int64_t count, by_examples;        // convolutions; so many of the first have examples in the lanes
    int64_t groups, activation;
    PictureShape picture;
    int64_t features, parameters;      // numbers of a row that come out; floats of a block's parameters
    bool mean;
    int64_t workers;
    Convolution* convolution;
    Workspace* workspace;              // [workers][count]
    V *edge, *last;                    // what the last one with examples in lanes gives, and the last of all
    V *edge_up, *last_up, *feature;    // [workers][...]: their derivatives; a row's features, examples in lanes
    float* changed;                    // [workers][LANES][pixels]: pictures that are changed
    Resampling* resampling;            // [workers]
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
        for (V* some : {w.d, w.up, w.e, w.skip, w.sum, w.bias_sum, w.scale_sum, w.shift_sum, w.total, w.packed_x, w.packed_d})
            std::free(some);
    }
    for (int64_t i = 0; p->resampling && i < p->workers; i++) {
        const Resampling& r = p->resampling[i];
        for (void* some : {(void*)r.mixed, (void*)r.down, (void*)r.along, (void*)r.place, (void*)r.next, (void*)r.row})
            std::free(some);
    }
    if (p->edge != p->last) std::free(p->edge);
    if (p->edge_up != p->last_up) std::free(p->edge_up);
    for (void* some : {(void*)p->convolution, (void*)p->workspace, (void*)p->last, (void*)p->last_up, (void*)p->feature,
                       (void*)p->changed, (void*)p->resampling, (void*)p->part})
        std::free(some);
    std::free(p);
}

constexpr int64_t PICTURE_BYTES = 8 << 20;  // of the numbers that are kept from the pass forward to the pass back

// How many rows go through together: so many that their numbers stay in the last cache, and each worker has some.
static int64_t pictures_at_once(const Network* net, int64_t rows, int64_t workers) {
    int64_t bytes = 1;
    for (int64_t l = 0; l < net->convolution_count; l++) {
        const ConvolutionShape& s = net->convolutions[l];
        bytes += (s.height + 2 * s.padding) * (s.width + 2 * s.padding) * s.inputs * 4;
        bytes += s.out_height * s.out_width * s.outputs * 8;
    }
    int64_t sixteens = PICTURE_BYTES / bytes / SIXTEEN;
    sixteens = sixteens < workers ? workers : sixteens;
    const int64_t all = (rows + SIXTEEN - 1) / SIXTEEN;
    return (sixteens < all ? sixteens : all) * SIXTEEN;
}

// rows: examples whose numbers are kept from the pass forward to the pass back. by_examples: of all convolutions,
// which changes no bit.
static Pictures* open_pictures(const Network* net, int64_t rows, int64_t workers, bool by_examples, bool& failed) {
    Pictures* p = buffer<Pictures>(1, failed);
    if (failed) return nullptr;
    p->count = net->convolution_count, p->groups = net->groups, p->mean = net->mean;
    p->workers = workers, p->activation = net->activation;
    p->picture = {net->convolutions->inputs, net->convolutions->height, net->convolutions->width};
    p->convolution = buffer<Convolution>(p->count, failed);
    p->workspace = buffer<Workspace>(workers * p->count, failed);
    p->resampling = buffer<Resampling>(workers, failed);
    if (failed) return close_pictures(p), nullptr;
    p->by_examples = p->count;
    while (BY_CHANNELS && !by_examples && p->by_examples > 1) {  // by the shape alone, never by the machine
        const ConvolutionShape& s = net->convolutions[p->by_examples - 1];
        if (s.inputs % TENSOR_PAD || s.outputs % TENSOR_PAD) break;
        p->by_examples--;
    }
    const int64_t sixteens = (rows + SIXTEEN - 1) / SIXTEEN, blocks = sixteens * SIXTEEN / LANES;
    int64_t at = 0;
    const auto tensor = [&](int64_t n) {
        const int64_t first = at;
        at += (n + TENSOR_PAD - 1) / TENSOR_PAD * TENSOR_PAD;
        return first;
    };
    for (int64_t l = 0; l < p->count; l++) {
        Convolution& c = p->convolution[l];
        const ConvolutionShape& s = c.s = net->convolutions[l];
        const int64_t weights = s.kernel * s.kernel * s.inputs * s.outputs;
        c.weight = tensor(weights), c.bias = tensor(s.outputs);
        if (p->groups) c.scale = tensor(s.outputs), c.shift = tensor(s.outputs);
        c.by_channels = l >= p->by_examples;
        const int64_t lanes = c.by_channels ? LANES : 1, units = blocks * lanes;
        c.in = s.inputs / lanes, c.out = s.outputs / lanes;
        c.fused = net->activation == RELU && !p->groups && !s.skip && s.pool != AVERAGE_POOL;
        c.high = s.pool == NO_POOL ? s.out_height : s.out_height / 2;
        c.wide = s.pool == NO_POOL ? s.out_width : s.out_width / 2;
        c.x_row = (s.width + 2 * s.padding) * c.in, c.x_size = (s.height + 2 * s.padding) * c.x_row;
        c.z_size = s.out_height * s.out_width * c.out, c.size = c.high * c.wide * c.out;
        c.ring = l ? s.kernel - 1 - s.padding : 0;
        c.d_row = (l ? s.width + s.kernel - 1 : s.out_width) * c.out;
        c.band = BAND / s.out_width / 2 * 2;
        c.band = c.band < 2 ? 2 : c.band;
        c.band = c.band < s.out_height && !c.by_channels ? c.band : s.out_height;
        if (l) c.backwards = buffer<float>(weights, failed);
        c.x = buffer<V>(c.x_size * units, failed);
        if (s.pool == MAX_POOL) c.choice = buffer<Choice>(c.size * units, failed);
        if (!c.fused) c.z = c.value = buffer<V>(c.z_size * units, failed);
        if (p->groups) {
            c.value = buffer<V>(c.z_size * units, failed);
            c.mean = buffer<V>(c.out * units, failed), c.inverse = buffer<V>(c.out * units, failed);
        }
        for (int64_t worker = 0; worker < workers; worker++) {
            Workspace& w = p->workspace[worker * p->count + l];
            const int64_t x_numbers = s.height * s.width * c.in;
            w.d = buffer<V>((l ? s.height + s.kernel - 1 : c.band) * c.d_row, failed);
            w.up = buffer<V>(x_numbers * (l == p->by_examples ? LANES : 1), failed);
            if (!c.fused) w.e = buffer<V>(c.z_size, failed);
            if (l + 1 < p->count && net->convolutions[l + 1].skip) w.skip = buffer<V>(x_numbers, failed);
            w.bias_sum = buffer<V>(c.out, failed);
            if (p->groups)
                for (V** some : {&w.scale_sum, &w.shift_sum, &w.total}) *some = buffer<V>(c.out, failed);
            if (c.by_channels) continue;
            const int64_t x_rows = (c.band - 1) * s.stride + s.kernel;
            w.sum = buffer<V>(weights, failed);
            w.packed_x = buffer<V>(x_rows * (s.width + 2 * s.padding) * GRADIENT_NR, failed);
            w.packed_d = buffer<V>(c.band * s.out_width * c.out, failed);
        }
    }
    const Convolution &end = p->convolution[p->count - 1], &edge = p->convolution[p->by_examples - 1];
    const int64_t end_units = end.by_channels ? LANES : 1;
    p->parameters = at, p->features = p->mean ? end.s.outputs : end.size * end_units;
    p->last = p->edge = buffer<V>(end.size * end_units * blocks, failed);
    p->last_up = p->edge_up = buffer<V>(end.size * workers, failed);
    if (BY_CHANNELS && end.by_channels) {
        p->edge = buffer<V>(edge.size * blocks, failed);
        p->edge_up = buffer<V>(edge.size * workers, failed);
    }
    p->feature = buffer<V>((p->features + LANES) * workers, failed);
    p->changed = buffer<float>(p->picture.numbers() * LANES * workers, failed);
    for (int64_t i = 0; i < workers; i++) {
        Resampling& r = p->resampling[i];
        r.mixed = buffer<float>(p->picture.numbers(), failed);
        for (float** some : {&r.down, &r.along}) *some = buffer<float>(p->picture.wide, failed);
        for (int32_t** some : {&r.place, &r.next, &r.row}) *some = buffer<int32_t>(p->picture.wide, failed);
    }
    p->part = buffer<float>(at * sixteens, failed);
    if (failed) return close_pictures(p), nullptr;
    return p;
}

// What the pass down multiplies with: each kernel the other way round, its channels exchanged.
static void reverse_kernels(const Pictures& p, const Rank& rank, const float* parameters) {
    for (int64_t l = 1; l < p.count; l++) {
        const Convolution& c = p.convolution[l];
        const int64_t places = c.s.kernel * c.s.kernel, in = c.s.inputs, out = c.s.outputs;
        const float* w = parameters + c.weight;
        const Range mine = rank.share(out);
        for (int64_t t = 0; t < places; t++)
            for (int64_t i = 0; i < in; i++)
                for (int64_t o = mine.begin; o < mine.end; o++) c.backwards[((places - 1 - t) * out + o) * in + i] = w[(t * in + i) * out + o];
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
INLINE V* output_of(const Pictures& p, int64_t l, int64_t unit, int64_t& row) {
    const Convolution& c = p.convolution[l];
    row = c.wide * c.out;
    if (l + 1 == p.count) return p.last + unit * c.size;
    if (l + 1 == p.by_examples) return p.edge + unit * c.size;
    const Convolution& next = p.convolution[l + 1];
    row = next.x_row;
    return next.x + unit * next.x_size + next.s.padding * (next.x_row + next.in);
}

// Of a channel's number, what vector j of channels holds.
INLINE V channel_values(const Convolution& c, const float* number, int64_t j) {
    return c.by_channels ? unaligned(number + j * LANES) : splat(number[j]);
}

// ---- forward

// Of each channel, the total of its group: over the channels in order.
static void group_totals(const Pictures& p, const Convolution& c, const V* sum, V* total) {
    const int64_t each = c.s.outputs / p.groups;
    for (int64_t first = 0; first < c.s.outputs; first += each) {
        V all{};
        float alone = 0.f;
        for (int64_t j = first; j < first + each; j++)
            if (c.by_channels) alone += ((const float*)sum)[j]; else all += sum[j];
        for (int64_t j = first; j < first + each; j++)
            if (c.by_channels) ((float*)total)[j] = alone; else total[j] = all;
    }
}

// value ← the normalised z, scaled and shifted. Sums go over a channel's pixels, then over a group's channels.
static void group_norm(const Pictures& p, const Convolution& c, const Workspace& w, const float* parameters, int64_t unit) {
    const int64_t out = c.out, pixels = c.s.out_height * c.s.out_width;
    const V* z = c.z + unit * c.z_size;
    V *value = c.value + unit * c.z_size, *sum = w.shift_sum;
    V *mean = c.mean + unit * out, *inverse = c.inverse + unit * out;
    const float share = 1.f / (float)(pixels * (c.s.outputs / p.groups));
    for (int64_t j = 0; j < out; j++) sum[j] = V{};
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < out; j++) sum[j] += z[i * out + j];
    group_totals(p, c, sum, mean);
    for (int64_t j = 0; j < out; j++) mean[j] *= share, sum[j] = V{};
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < out; j++) {
            const V apart = z[i * out + j] - mean[j];
            sum[j] = fma(apart, apart, sum[j]);
        }
    group_totals(p, c, sum, inverse);
    for (int64_t j = 0; j < out; j++) inverse[j] = 1.f / root(inverse[j] * share + NORM_EPS);
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < out; j++)
            value[i * out + j] = fma((z[i * out + j] - mean[j]) * inverse[j], channel_values(c, parameters + c.scale, j),
                                     channel_values(c, parameters + c.shift, j));
}

static void pool_forward(const Convolution& c, const V* y, int64_t unit, V* to, int64_t to_row) {
    const int64_t out = c.out, row = c.s.out_width * out;
    for (int64_t r = 0; r < c.high; r++)
        for (int64_t i = 0; i < c.wide; i++)
            for (int64_t j = 0; j < out; j++) {
                V* pooled = to + r * to_row + i * out + j;
                if (c.s.pool == NO_POOL) {
                    *pooled = y[r * row + i * out + j];
                    continue;
                }
                const V* four = y + 2 * r * row + 2 * i * out + j;
                const V square[4] = {four[0], four[out], four[row], four[row + out]};
                if (c.s.pool == AVERAGE_POOL) {
                    *pooled = (((square[0] + square[1]) + square[2]) + square[3]) * 0.25f;
                    continue;
                }
                VI which;
                *pooled = largest_of_four(square, which);
                c.choice[unit * c.size + (r * c.wide + i) * out + j] = narrowed(which);
            }
}

static void convolve(const Pictures& p, const float* parameters, int64_t l, int64_t unit, const Workspace& w) {
    const Convolution& c = p.convolution[l];
    int64_t to_row;
    V* to = output_of(p, l, unit, to_row);
    Filter f{c.by_channels, c.x + unit * c.x_size, c.s.inputs, c.s.outputs, c.s.kernel, c.s.stride, c.x_row, c.s.padding,
             c.s.height, c.s.width, c.s.out_height, c.s.out_width, parameters + c.weight, parameters + c.bias, to, to_row,
             RELU_OUTPUT, nullptr};
    if (c.fused) {
        if (c.s.pool == MAX_POOL) f.epilogue = RELU_AND_MAX, f.choice = c.choice + unit * c.size;
        return filter(f);
    }
    V *z = c.z + unit * c.z_size, *value = c.value + unit * c.z_size;
    f.to = z, f.to_row = c.s.out_width * c.out, f.epilogue = PLAIN_OUTPUT;
    filter(f);
    if (p.groups) group_norm(p, c, w, parameters, unit);
    if (c.s.skip) {
        const Convolution& before = p.convolution[l - 1];
        const V* from = before.x + unit * before.x_size + before.s.padding * (before.x_row + before.in);
        const int64_t row = before.s.width * before.in;
        for (int64_t r = 0; r < before.s.height; r++)
            for (int64_t i = 0; i < row; i++) value[r * row + i] += from[r * before.x_row + i];
    }
    V* y = by_input((int32_t)p.activation) ? w.e : value;
    with_activation((int32_t)p.activation, [&](auto chosen) {
        for (int64_t i = 0; i < c.z_size; i++) y[i] = activated<decltype(chosen)::value>(value[i]);
    });
    pool_forward(c, y, unit, to, to_row);
}

// A picture's pixels, C vectors each and rows of v side by side, of all examples of a block in lanes, and floats
// of one example after the other. INTO: into the vectors.
template <bool INTO> static void transpose_pictures(V* v, float* x, int64_t row, int64_t size, int64_t n, int64_t high, int64_t numbers) {
    for (int64_t y = 0; y < high; y++) transpose_rows<INTO>(x + y * row, size, n, numbers, v + y * numbers);
}

// The block's n examples, whose pictures are rows[0..n): [channel][y][x] each.
// features [n][row] floats, in torch's order: [channel][y][x].
static void pictures_forward(const Pictures& p, const float* parameters, const float* const* rows, int64_t block,
                             int64_t n, int64_t worker, float* features, int64_t row) {
    const Convolution &first = p.convolution[0], &end = p.convolution[p.count - 1];
    const Workspace* workspace = p.workspace + worker * p.count;
    V* into = first.x + block * first.x_size + first.s.padding * (first.x_row + first.in);
    for (int64_t ch = 0; ch < p.picture.channels; ch++)
        for (int64_t y = 0; y < p.picture.high; y++)
            for (int64_t i = 0; i < p.picture.wide; i += LANES) {
                const int64_t m = p.picture.wide - i < LANES ? p.picture.wide - i : LANES;
                V t[LANES];
                for (int64_t l = 0; l < LANES; l++) t[l] = unaligned(rows[l < n ? l : 0] + (ch * p.picture.high + y) * p.picture.wide + i, m);
                transpose(t);
                for (int64_t c = 0; c < m; c++) into[y * first.x_row + (i + c) * p.picture.channels + ch] = t[c];
            }
    for (int64_t l = 0; l < p.by_examples; l++) convolve(p, parameters, l, block, workspace[l]);
    const int64_t pixels = end.high * end.wide;
    const float share = 1.f / (float)pixels;
    if (BY_CHANNELS && end.by_channels) {
        const Convolution &edge = p.convolution[p.by_examples - 1], &c = p.convolution[p.by_examples];
        const int64_t border = c.s.padding * (c.x_row + c.in);
        transpose_pictures<false>(p.edge + block * edge.size, (float*)(c.x + block * LANES * c.x_size + border),
                                  c.x_row * LANES, c.x_size * LANES, n, c.s.height, c.s.width * c.s.inputs);
        for (int64_t e = 0; e < n; e++) {
            const int64_t unit = block * LANES + e, channels = end.s.outputs;
            for (int64_t l = p.by_examples; l < p.count; l++) convolve(p, parameters, l, unit, workspace[l]);
            const V* last = p.last + unit * end.size;
            float* to = features + e * row;
            for (int64_t j = 0; p.mean && j < end.out; j++) {
                V sum{};
                for (int64_t i = 0; i < pixels; i++) sum += last[i * end.out + j];
                sum *= share;
                std::memcpy(to + j * LANES, &sum, sizeof sum);
            }
            for (int64_t j = 0; !p.mean && j < channels; j++)
                for (int64_t i = 0; i < pixels; i++) to[j * pixels + i] = ((const float*)last)[i * channels + j];
        }
        return;
    }
    const V* last = p.last + block * end.size;
    V* feature = p.feature + worker * (p.features + LANES);
    for (int64_t j = 0; j < end.out; j++) {
        V sum{};
        for (int64_t i = 0; i < pixels; i++)
            if (p.mean) sum += last[i * end.out + j];
            else feature[j * pixels + i] = last[i * end.out + j];
        if (p.mean) feature[j] = sum * share;
    }
    transpose_rows<false>(features, row, n, p.features, feature);
}

// ---- backward

// Rows y0 to y1 of the derivative by z, out of that by what the next one gets; the bias's gradient by the way.
static void activation_backward(const Convolution& c, const V* y, int64_t y_row, int64_t unit, const V* up, const Workspace& w,
                                V* d, int64_t d_row, int64_t d_step, int64_t y0, int64_t y1) {
    const int64_t out = c.out;
    V* bias_sum = w.bias_sum;
    if (!c.fused) {
        for (int64_t r = y0; r < y1; r++)
            for (int64_t i = 0; i < c.s.out_width; i++)
                for (int64_t j = 0; j < out; j++) {
                    const V g = w.e[(r * c.s.out_width + i) * out + j];
                    d[(r - y0) * d_row + i * d_step + j] = g;
                    bias_sum[j] += g;
                }
        return;
    }
    if (c.s.pool == NO_POOL) {
        for (int64_t r = y0; r < y1; r++)
            for (int64_t i = 0; i < c.s.out_width; i++)
                for (int64_t j = 0; j < out; j++) {
                    const V g = up[(r * c.wide + i) * out + j];
                    const V o = y[r * y_row + i * out + j] <= 0.f ? V{} : g;
                    d[(r - y0) * d_row + i * d_step + j] = o;
                    bias_sum[j] += o;
                }
        return;
    }
    const Choice* choice = c.choice + unit * c.size;
    const int64_t r1 = y1 / 2 < c.high ? y1 / 2 : c.high;
    for (int64_t r = y0 / 2; r < r1; r++)
        for (int64_t i = 0; i < c.wide; i++)
            for (int64_t j = 0; j < out; j++) {
                const int64_t at = (r * c.wide + i) * out + j;
                const VI which = widened(choice[at]);
                const V g = up[at];
                V* o = d + (2 * r - y0) * d_row + 2 * i * d_step + j;
                UNROLL for (int n = 0; n < 4; n++) o[(n >> 1) * d_row + (n & 1) * d_step] = which == n ? g : V{};
                bias_sum[j] += which == DEAD ? V{} : g;
            }
}

// e ← the derivative by z, out of that by what the next one gets, through pool, activation, skip and norm.
static void general_backward(const Pictures& p, const float* parameters, int64_t l, int64_t unit, int64_t worker, const V* up) {
    const Convolution& c = p.convolution[l];
    const Workspace& w = p.workspace[worker * p.count + l];
    const int64_t out = c.out, row = c.s.out_width * out, pixels = c.s.out_height * c.s.out_width;
    V* e = w.e;
    if (c.s.pool == NO_POOL) std::memcpy(e, up, (size_t)c.z_size * sizeof(V));
    else std::memset(e, 0, (size_t)c.z_size * sizeof(V));  // an odd edge has no part in a pool
    for (int64_t r = 0; c.s.pool != NO_POOL && r < c.high; r++)
        for (int64_t i = 0; i < c.wide; i++)
            for (int64_t j = 0; j < out; j++) {
                const int64_t at = (r * c.wide + i) * out + j;
                V* o = e + 2 * r * row + 2 * i * out + j;
                const VI which = c.s.pool == MAX_POOL ? widened(c.choice[unit * c.size + at]) : VI{};
                for (int n = 0; n < 4; n++)
                    o[(n >> 1) * row + (n & 1) * out] =
                        c.s.pool == AVERAGE_POOL ? up[at] * 0.25f : which == n ? up[at] : V{};
            }
    const V* value = c.value + unit * c.z_size;
    with_activation((int32_t)p.activation, [&](auto chosen) {
        for (int64_t i = 0; i < c.z_size; i++) e[i] = chained<decltype(chosen)::value>(e[i], value[i]);
    });
    if (c.s.skip) std::memcpy(p.workspace[worker * p.count + l - 1].skip, e, (size_t)c.z_size * sizeof(V));
    if (!p.groups) return;
    const V *z = c.z + unit * c.z_size, *mean = c.mean + unit * out, *inverse = c.inverse + unit * out;
    const float share = 1.f / (float)(pixels * (c.s.outputs / p.groups));
    for (int64_t j = 0; j < out; j++) w.scale_sum[j] = w.shift_sum[j] = V{};
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < out; j++) {
            const V normal = (z[i * out + j] - mean[j]) * inverse[j], g = e[i * out + j];
            w.scale_sum[j] = fma(g, normal, w.scale_sum[j]), w.shift_sum[j] += g;
        }
    V *along = w.bias_sum, *sum = w.total;  // of each channel's group; bias_sum is free until the next pass
    for (int64_t j = 0; j < out; j++) sum[j] = w.scale_sum[j] * channel_values(c, parameters + c.scale, j);
    group_totals(p, c, sum, along);
    for (int64_t j = 0; j < out; j++) sum[j] = w.shift_sum[j] * channel_values(c, parameters + c.scale, j);
    group_totals(p, c, sum, sum);
    for (int64_t j = 0; j < out; j++) along[j] *= share, sum[j] *= share;
    for (int64_t i = 0; i < pixels; i++)
        for (int64_t j = 0; j < out; j++) {
            const V normal = (z[i * out + j] - mean[j]) * inverse[j];
            const V through = fma(e[i * out + j], channel_values(c, parameters + c.scale, j), -sum[j]);
            e[i * out + j] = fma(normal, -along[j], through) * inverse[j];
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

// part += one example's sums, with channels in the lanes.
static void add_channels(const V* sum, int64_t n, float* part) {
    for (int64_t i = 0; i < n; i++) {
        const V total = unaligned(part + i * LANES) + sum[i];
        std::memcpy(part + i * LANES, &total, sizeof total);
    }
}

// Of one unit, from the derivative by what convolution l gives: that by its input, where there is another
// convolution before it, and its part of the gradients.
static void convolve_backward(const Pictures& p, const float* parameters, int64_t l, int64_t unit, int64_t worker,
                              const V* up, V* x_up, float* part) {
    const Convolution& c = p.convolution[l];
    const Workspace& w = p.workspace[worker * p.count + l];
    if (!c.fused) general_backward(p, parameters, l, unit, worker, up);
    int64_t y_row;
    const V *y = output_of(p, l, unit, y_row), *x = c.x + unit * c.x_size;
    const int64_t stride = l ? c.s.stride : 1, out = c.out;
    FilterGradient g{x, c.s.inputs, c.s.outputs, c.s.kernel, c.s.stride, c.x_row, c.s.width + 2 * c.s.padding, nullptr,
                     stride * c.d_row, stride * out, c.s.out_width, w.packed_x, w.packed_d, w.sum};
    std::memset(w.bias_sum, 0, (size_t)out * sizeof(V));
    for (int64_t y0 = 0; y0 < c.s.out_height; y0 += c.band) {
        const int64_t y1 = y0 + c.band < c.s.out_height ? y0 + c.band : c.s.out_height;
        V* d = l ? w.d + (c.ring + stride * y0) * c.d_row + c.ring * out : w.d;
        const bool odd = c.s.pool == MAX_POOL && (c.s.out_height % 2 || c.s.out_width % 2);
        if (!l && odd) std::memset(d, 0, (size_t)(c.band * c.d_row) * sizeof(V));
        activation_backward(c, y, y_row, unit, up, w, d, g.d_row, g.d_step, y0, y1);
        g.d = d;
        if (BY_CHANNELS && c.by_channels) filter_gradient_by_channels(g, c.s.out_height, part + c.weight);
        else filter_gradient(g, y0, y1);
    }
    if (l) {
        const int64_t numbers = c.s.width * c.in;
        filter({c.by_channels, w.d, c.s.outputs, c.s.inputs, c.s.kernel, 1, c.d_row, c.ring,
                stride * (c.s.out_height - 1) + 1, stride * (c.s.out_width - 1) + 1, c.s.height, c.s.width, c.backwards,
                nullptr, x_up, numbers, PLAIN_OUTPUT, nullptr});
        for (int64_t i = 0; w.skip && i < c.s.height * numbers; i++) x_up[i] += w.skip[i];
    }
    const auto add = BY_CHANNELS && c.by_channels ? add_channels : add_examples;
    if (!c.by_channels) add_examples(w.sum, c.s.kernel * c.s.kernel * c.s.inputs * c.s.outputs, part + c.weight);
    add(w.bias_sum, out, part + c.bias);
    if (p.groups) add(w.scale_sum, out, part + c.scale), add(w.shift_sum, out, part + c.shift);
}

// Of a block, from its features' derivatives, [n][row] floats, to its part of the parameters' gradients.
static void pictures_backward(const Pictures& p, const float* parameters, int64_t block, int64_t n, int64_t worker,
                              float* features_d, int64_t row) {
    const Convolution &end = p.convolution[p.count - 1], &edge = p.convolution[p.by_examples - 1];
    const Workspace* workspace = p.workspace + worker * p.count;
    const int64_t channels = end.s.outputs, pixels = end.high * end.wide;
    const float share = 1.f / (float)pixels;
    V *last_up = p.last_up + worker * end.size, *edge_up = p.edge_up + worker * edge.size;
    float* part = p.part + block * LANES / SIXTEEN * p.parameters;
    if (block * LANES % SIXTEEN == 0) std::memset(part, 0, (size_t)p.parameters * sizeof(float));
    if (BY_CHANNELS && end.by_channels) {
        const Convolution& c = p.convolution[p.by_examples];
        const int64_t numbers = c.s.height * c.s.width * c.in;
        V* edges = workspace[p.by_examples].up;
        for (int64_t e = 0; e < n; e++) {
            const float* d = features_d + e * row;
            for (int64_t j = 0; j < channels; j++)
                for (int64_t i = 0; i < pixels; i++)
                    ((float*)last_up)[i * channels + j] = p.mean ? d[j] * share : d[j * pixels + i];
            const V* up = last_up;
            for (int64_t l = p.count - 1; l >= p.by_examples; l--) {
                V* x_up = l == p.by_examples ? edges + e * numbers : workspace[l].up;
                convolve_backward(p, parameters, l, block * LANES + e, worker, up, x_up, part);
                up = x_up;
            }
        }
        transpose_pictures<true>(edge_up, (float*)edges, c.s.width * c.s.inputs, numbers * LANES, n, c.s.height,
                                 c.s.width * c.s.inputs);
    } else {
        V* feature = p.feature + worker * (p.features + LANES);
        transpose_rows<true>(features_d, row, n, p.features, feature);
        for (int64_t j = 0; j < channels; j++)
            for (int64_t i = 0; i < pixels; i++)
                edge_up[i * channels + j] = p.mean ? feature[j] * share : feature[j * pixels + i];
    }
    const V* up = edge_up;
    for (int64_t l = p.by_examples - 1; l >= 0; l--) {
        convolve_backward(p, parameters, l, block, worker, up, workspace[l].up, part);
        up = workspace[l].up;
    }
}

// These vectors of g ← (g where `more`, else 0) + the parts of all sixteens of n rows, in order.
static void add_parts(const Pictures& p, int64_t n, bool more, float* g, Range vectors) {
    for (int64_t i = vectors.begin * LANES; i < vectors.end * LANES; i += LANES) {
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
