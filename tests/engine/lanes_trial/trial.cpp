// Trains random networks through the library's border alone and prints the bits of all that it wrote:
//
//     lanes_trial FIRST COUNT PLACEMENT [SET]     placement: heap, end, begin
//
// a line for each case, instruction set, layout and number of ranks: "17 avx2 units×1 0123456789abcdef", which hang on the number
// of the case alone. Exits with 1 and a line "fault: ..." where memory was asked for in a step, where something
// was written that is not the library's, or where a row that isn't there was taken.
#include <cinttypes>
#include <cmath>
#include <initializer_list>
#include <thread>
#include <vector>

#define LANES_SET lanes_trial
#include "../../../src/treino/engine/lanes/border.hpp"
#include "../../../src/treino/engine/lanes/random.hpp"
#include "allocations.hpp"
#include "buffers.hpp"

extern "C" const Library* treino_lanes(int32_t i, int32_t* fused);

struct Random {  // splitmix64, and numbers made of it by exact operations only
    uint64_t state;
    uint64_t next() {
        uint64_t x = state += 0x9E3779B97F4A7C15u;
        x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
        x = (x ^ x >> 27) * 0x94D049BB133111EBu;
        return x ^ x >> 31;
    }
    int64_t below(int64_t n) { return (int64_t)(next() % (uint64_t)n); }
    int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
    bool chance(int64_t one_in) { return below(one_in) == 0; }
    double share() { return (double)(next() >> 40) * 0x1p-24; }
    double around_zero() { return (share() + share() + share() - 1.5) * 2; }
    int64_t size() { return chance(20) ? between(40, 150) : chance(3) ? between(8, 40) : between(1, 9); }
};

struct Case {
    int64_t sizes[5], starts[8];
    int32_t layers, activation, loss, optimizer, nesterov, dropout, summed, softmax_first, averages;
    int64_t D, C, n, gates, line, members, trained, rows, steps, schedules, bags, largest, end[4];
    bool batches, weighted, wild, cut;  // wild: numbers that no sane table holds; cut: trained in two calls
    float size_of_x, size_of_weights;   // so small that sums and means lie about 2^-126
    std::vector<ConvolutionShape> convolutions;
    int64_t groups, mean, numbers_of_row;
    bool changes, mixes;

    explicit Case(Random& r) {
        layers = (int32_t)r.between(1, 4);
        for (int l = 0; l <= layers; l++) sizes[l] = r.size();
        numbers_of_row = sizes[0], groups = mean = changes = mixes = 0;
        if (r.chance(2)) draw_convolutions(r);
        activation = (int32_t)r.below(7), loss = (int32_t)r.below(5), optimizer = (int32_t)r.below(3);
        nesterov = r.chance(2), dropout = r.chance(2), summed = r.chance(5), softmax_first = r.chance(5);
        averages = r.chance(3);
        D = sizes[0], C = sizes[layers];
        line = r.chance(2) ? 16 : 1;  // what fills a row up between its tensors is 0
        gates = r.chance(3) && convolutions.empty() ? r.between(1, D) : 0;
        n = (gates + line - 1) / line * line;
        const auto tensor = [&](int64_t count) { const int64_t at = n; return n = (n + count + line - 1) / line * line, at; };
        for (ConvolutionShape& c : convolutions) {
            c.weight = tensor(c.inputs * c.outputs * c.kernel * c.kernel), c.bias = tensor(c.outputs);
            if (groups) c.scale = tensor(c.outputs), c.shift = tensor(c.outputs);
        }
        for (int i = 0; i < 2 * layers; i++) starts[i] = n, n = (n + numbers(i) + line - 1) / line * line;
        members = r.between(1, 20), trained = r.between(1, members);
        rows = r.chance(12) ? r.between(60, 700) : r.between(1, 40);
        steps = r.between(1, 4), schedules = r.between(1, 3);
        batches = !r.chance(4), weighted = r.chance(2), wild = r.chance(8);
        const bool small = r.chance(6);
        size_of_x = small ? std::ldexp(1.f, -(int)r.below(80)) : 1.f;
        size_of_weights = small ? std::ldexp(1.f, -(int)r.below(80)) : 1.f;
        largest = batches ? 0 : rows;
        for (int64_t s = 0, stop = 0; batches && s < steps; s++) {
            const int64_t batch = r.between(1, r.chance(3) ? rows : rows < 7 ? rows : 7);
            largest = batch > largest ? batch : largest;
            end[s] = stop += batch;
        }
        cut = r.chance(2), bags = r.chance(2) ? r.between(1, 3) : 0;
    }
    void draw_convolutions(Random& r) {
        int64_t channels = r.between(1, 4), high = r.between(1, 12), wide = r.between(1, 12);
        const int64_t filled = r.chance(3) ? 16 : 1;  // so many channels at least, which fill the lanes
        numbers_of_row = channels * high * wide;
        groups = r.chance(3) ? r.between(1, 2) : 0, changes = r.chance(2), mixes = changes && r.chance(2);
        const auto add = [&](int64_t outputs, int64_t kernel, int64_t stride, int64_t padding, int64_t skip, int64_t pool) {
            const int64_t y = (high + 2 * padding - kernel) / stride + 1, x = (wide + 2 * padding - kernel) / stride + 1;
            convolutions.push_back({channels, high, wide, outputs, kernel, stride, padding, y, x, skip, pool, 0, 0, 0, 0});
            channels = outputs, high = pool ? y / 2 : y, wide = pool ? x / 2 : x;
        };
        for (int64_t stage = 0, stages = r.between(1, 3); stage < stages; stage++) {
            const int64_t outputs = filled * (groups ? groups : 1) * r.between(1, filled > 1 ? 2 : 4);
            int64_t kernel = 1 + 2 * r.below(4), padding = r.below(kernel);
            const int64_t least = high < wide ? high : wide;
            if (least + 2 * padding < kernel) kernel = 1, padding = 0;
            add(outputs, kernel, r.between(1, 3), padding, 0, 0);
            for (bool block = r.chance(3); block; block = false)
                add(outputs, 3, 1, 1, 0, 0), add(outputs, 3, 1, 1, 1, 0);
            ConvolutionShape& last = convolutions.back();
            if (high < 2 || wide < 2 || r.chance(3)) continue;
            last.pool = r.between(1, 2), high /= 2, wide /= 2;
        }
        mean = r.below(2);
        sizes[0] = mean ? channels : channels * high * wide;
    }
    int64_t widest() const {  // of the hidden layers, and of the features of pictures
        int64_t most = convolutions.empty() ? 1 : sizes[0];
        for (int l = 1; l < layers; l++) most = sizes[l] > most ? sizes[l] : most;
        return most;
    }
    // Of a member's tensor number i.
    int64_t numbers(int i) const { return sizes[i / 2 + 1] * (i % 2 ? 1 : sizes[i / 2]); }
    // Whether number i of a member's row is one of a tensor's.
    bool used(int64_t i) const {
        if (i < gates) return true;
        const auto within = [&](int64_t start, int64_t count) { return i >= start && i < start + count; };
        for (const ConvolutionShape& c : convolutions)
            if (within(c.weight, c.inputs * c.outputs * c.kernel * c.kernel) || within(c.bias, c.outputs) ||
                (groups && (within(c.scale, c.outputs) || within(c.shift, c.outputs))))
                return true;
        for (int t = 0; t < 2 * layers; t++)
            if (within(starts[t], numbers(t))) return true;
        return false;
    }
};

// What one training is given and writes.
struct Arrays {
    Buffer<int64_t> sizes, starts, row_R, seed_P, schedule_P, bag_P, class_N, index, end_S, column_D;
    Buffer<double> target_CC, weight_C, hp[HYPERPARAMETERS], factor_KS;
    Buffer<float> x_ND, target_NC, params, grads, first_moment, second_moment, average, loss_SR, weight_GN, z_RNC;
    Buffer<Network> network;
    Buffer<Members> members;
    Buffer<Steps> steps;
    Buffer<int64_t> next;
    Buffer<int32_t> stop, hash;
    Buffer<Change> change;
    Buffer<int64_t> partner;
    Buffer<ConvolutionShape> convolutions;

    Arrays(const Case& c, Placement p)
        : sizes(p, c.layers + 1), starts(p, 2 * c.layers), row_R(p, c.trained), seed_P(p, c.members),
          schedule_P(p, c.members), bag_P(p, c.members), class_N(p, c.rows), index(p, c.batches ? c.end[c.steps - 1] : 1),
          end_S(p, c.steps), column_D(p, c.D), target_CC(p, c.C * c.C), weight_C(p, c.C),
          hp{{p, c.members}, {p, c.members}, {p, c.members}, {p, c.members},
             {p, c.members}, {p, c.members}, {p, c.members}, {p, c.members}, {p, c.members}},
          factor_KS(p, c.schedules * c.steps), x_ND(p, c.rows * c.numbers_of_row), target_NC(p, c.rows * c.C),
          params(p, c.members * c.n), grads(p, c.members * c.n), first_moment(p, c.members * c.n),
          second_moment(p, c.members * c.n), average(p, c.averages ? c.members * c.n : 1), loss_SR(p, c.steps * c.trained),
          weight_GN(p, c.bags ? c.bags * c.rows : 1), z_RNC(p, c.trained * c.rows * c.C), network(p, 1), members(p, 1), steps(p, 1), next(p, 1), stop(p, 1),
          hash(p, c.largest * c.widest() + 16), change(p, c.batches ? c.end[c.steps - 1] : c.steps * c.rows),
          partner(p, change.size()),
          convolutions(p, c.convolutions.empty() ? 1 : (int64_t)c.convolutions.size()) {}
};

static void draw(const Case& c, Random& r, Arrays& a) {
    const auto wild = [&](double usual) {
        if (!c.wild || !r.chance(40)) return (float)usual;
        const float found[] = {0.f, -0.f, 1e-42f, 3e38f, -3e38f, __builtin_inff(), -__builtin_inff(), __builtin_nanf("")};
        return found[r.below(8)];
    };
    for (int l = 0; l <= c.layers; l++) a.sizes[l] = c.sizes[l];
    for (int l = 0; l < 2 * c.layers; l++) a.starts[l] = c.starts[l];
    for (int64_t i = 0; i < c.members; i++) {
        a.seed_P[i] = (int64_t)r.next(), a.schedule_P[i] = r.below(c.schedules);
        a.bag_P[i] = c.bags ? r.below(c.bags) : 0;
        a.hp[LR][i] = r.share() * 0.1, a.hp[WEIGHT_DECAY][i] = r.chance(2) ? 0 : r.share() * 0.1;
        a.hp[MOMENTUM][i] = r.chance(2) ? 0 : r.share(), a.hp[BETA1][i] = r.share() * 0.99;
        a.hp[BETA2][i] = r.chance(2) ? 0.999 : r.share() * 0.9999, a.hp[EPS][i] = r.chance(2) ? 1e-8 : r.share();
        a.hp[CLIP][i] = r.chance(2) ? __builtin_inf() : r.share();
        a.hp[DROPOUT][i] = c.dropout && r.chance(2) ? r.share() * 0.95 : 0;
        a.hp[EMA][i] = c.averages && r.chance(2) ? r.share() * 0.99 : 0;
    }
    for (int64_t i = 0; i < c.D; i++) a.column_D[i] = c.gates ? r.below(c.gates) : 0;
    for (int64_t i = 0, at = 0; i < c.members && at < c.trained; i++)  // some of them, in an order of their own
        if (r.below(c.members - i) < c.trained - at) a.row_R[at++] = i;
    for (int64_t i = c.trained - 1; i > 0; i--) {
        const int64_t j = r.below(i + 1), kept = a.row_R[i];
        a.row_R[i] = a.row_R[j], a.row_R[j] = kept;
    }
    for (int64_t i = 0; i < c.rows; i++) a.class_N[i] = r.below(c.C);
    for (int64_t i = 0; c.batches && i < a.index.size(); i++) a.index[i] = r.below(c.rows);
    for (int64_t s = 0; c.batches && s < c.steps; s++) a.end_S[s] = c.end[s];
    for (int64_t i = 0; i < c.C * c.C; i++) a.target_CC[i] = r.share() * (i / c.C == i % c.C ? 1 : 0.1);
    for (int64_t i = 0; i < c.C; i++) a.weight_C[i] = 0.1 + r.share();
    for (int64_t i = 0; i < a.weight_GN.size(); i++) a.weight_GN[i] = r.chance(3) ? 0.f : (float)r.share();
    for (int64_t i = 0; i < a.factor_KS.size(); i++) a.factor_KS[i] = r.share();
    for (int64_t i = 0; i < a.x_ND.size(); i++) a.x_ND[i] = wild(r.around_zero() * c.size_of_x);
    for (int64_t i = 0; i < a.target_NC.size(); i++)
        a.target_NC[i] = wild(c.loss == BCE ? (double)r.below(2) : r.around_zero() * c.size_of_x * c.size_of_weights);
    for (int64_t i = 0; i < a.params.size(); i++) {
        if (!c.used(i % c.n)) continue;
        a.params[i] = r.chance(30) ? 0.f : (float)(r.around_zero() * 0.5) * c.size_of_weights;
        a.grads[i] = (float)(r.around_zero() * 0.1);
        const float size = c.size_of_x * c.size_of_weights;
        a.first_moment[i] = (float)(r.around_zero() * 0.1) * size, a.second_moment[i] = (float)(r.share() * 0.1) * size * size;
        if (c.averages) a.average[i] = (float)r.around_zero();
    }
    for (int64_t i = 0; i < (int64_t)c.convolutions.size(); i++) a.convolutions[i] = c.convolutions[(size_t)i];
    for (int64_t i = 0; c.changes && i < a.change.size(); i++) {
        Change& change = a.change[i] = {1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 1};
        if (r.chance(2)) change.y_1 = (float)r.between(-15, 15), change.x_1 = (float)r.between(-15, 15);
        if (r.chance(2)) change.x_x = -1;
        if (r.chance(3)) change.y_y = wild(r.around_zero()), change.y_x = wild(r.around_zero());
        if (r.chance(3)) change.x_y = wild(r.around_zero()), change.x_1 = wild(5 * r.around_zero());
        if (r.chance(3)) change.contrast = wild(r.share()), change.brightness = wild(r.around_zero());
        if (r.chance(3)) change.top = wild((double)r.between(-3, 9)), change.bottom = wild((double)r.between(-3, 15));
        if (r.chance(3)) change.left = wild((double)r.between(-3, 9)), change.right = wild((double)r.between(-3, 15));
        change.share = wild(r.share()), a.partner[i] = r.below(c.rows);
    }
    const bool classes = c.loss == CROSS_ENTROPY;
    a.network[0] = {a.sizes.data(), a.starts.data(), classes ? a.target_CC.data() : nullptr,
                    classes && c.weighted ? a.weight_C.data() : nullptr, c.gates ? a.column_D.data() : nullptr, c.n,
                    c.gates, 0, 1 + (double)(c.n % 7), c.convolutions.empty() ? nullptr : a.convolutions.data(),
                    (int64_t)c.convolutions.size(), c.groups, c.mean, c.layers, c.activation, c.loss,
                    c.optimizer, c.nesterov, c.dropout, c.summed, c.softmax_first, c.averages};
    Members& m = a.members[0];
    m = {a.row_R.data(), a.params.data(), a.grads.data(),
         {a.first_moment.data(), c.optimizer == SGD ? nullptr : a.second_moment.data()},
         c.averages ? a.average.data() : nullptr, {}, a.seed_P.data(),
         a.schedule_P.data(), c.bags > 1 ? a.bag_P.data() : nullptr, c.trained, a.next.data()};
    for (int i = 0; i < HYPERPARAMETERS; i++) m.hp[i] = a.hp[i].data();
    a.steps[0] = {a.x_ND.data(), classes ? a.class_N.data() : nullptr, classes ? nullptr : a.target_NC.data(),
                  c.batches ? a.index.data() : nullptr, c.batches ? a.end_S.data() : nullptr,
                  c.changes ? a.change.data() : nullptr, c.mixes ? a.partner.data() : nullptr, a.factor_KS.data(), a.loss_SR.data(),
                  c.bags ? a.weight_GN.data() : nullptr, c.rows, 5, 3, c.steps, 0, c.steps};
    for (int64_t e = 0; e < a.hash.size(); e++) a.hash[e] = (int32_t)lanes_trial::mix((uint64_t)e + 0x9E3779B9u);
    a.sizes.close(), a.starts.close(), a.row_R.close(), a.seed_P.close(), a.schedule_P.close(), a.bag_P.close(), a.weight_GN.close();
    a.target_CC.close(), a.weight_C.close(), a.factor_KS.close(), a.x_ND.close(), a.target_NC.close();
    a.column_D.close(), a.network.close(), a.members.close(), a.end_S.close(), a.hash.close();
    a.convolutions.close(), a.change.close();
    for (auto& hp : a.hp) hp.close();
}

struct Bits {  // FNV-1a; which of the many NaN it is says nothing
    uint64_t hash = 0xcbf29ce484222325u;
    void add(const Buffer<float>& numbers) {
        for (int64_t i = 0; i < numbers.size(); i++) {
            uint32_t bits = 0x7fc00000u;
            if (numbers[i] == numbers[i]) std::memcpy(&bits, &numbers[i], 4);
            hash = (hash ^ bits) * 0x100000001b3u;
        }
    }
};

// f(rank) in a thread for each rank, or here for one; -> the answer, which must be the same for all.
template <class Function> static int32_t together(int32_t ranks, const Function& f) {
    if (ranks == 1) return f(0);
    std::vector<int32_t> answers((size_t)ranks);
    std::vector<std::thread> threads;
    for (int32_t rank = 0; rank < ranks; rank++) threads.emplace_back([&, rank] { answers[(size_t)rank] = f(rank); });
    for (std::thread& thread : threads) thread.join();
    for (int32_t answer : answers) if (answer != answers[0]) fail("the ranks answer differently");
    return answers[0];
}

static void train(const Library& library, Trainer* trainer, Arrays& a, int32_t ranks, int64_t start, int64_t stop) {
    a.steps[0].start = start, a.steps[0].stop = stop;
    a.next[0] = 0;
    allocations = 0;
    const int32_t answer = together(ranks, [&](int32_t rank) {
        return library.train(trainer, rank, a.members.data(), a.steps.data(), a.stop.data());
    });
    if (answer != DONE) fail("rows that are there were refused");
    if (allocations && ranks == 1) fail("memory was asked for in a step");  // threads ask for theirs
}

// Numbers that aren't there, at a place that the first step reads.
static void refuse_at(const Library& library, Trainer* trainer, Arrays& a, int32_t ranks, int64_t& place, int64_t most) {
    const int64_t right = place;
    a.steps[0].start = 0, a.steps[0].stop = 1;
    for (int64_t value : {(int64_t)-1, most, INT64_MIN, INT64_MAX}) {
        place = value;
        Bits before, after;
        before.add(a.params);
        a.next[0] = 0;
        if (together(ranks, [&](int32_t rank) {
                return library.train(trainer, rank, a.members.data(), a.steps.data(), a.stop.data());
            }) != OUT_OF_RANGE)
            fail("a row or class that isn't there was taken");
        after.add(a.params);
        if (before.hash != after.hash) fail("a step that was refused changed a weight");
    }
    place = right;
}

// A row or class that isn't there, first or last in the first batch.
static void refuse(const Library& library, Trainer* trainer, const Case& c, Arrays& a, int32_t ranks) {
    for (int64_t i : {(int64_t)0, (c.batches ? c.end[0] : c.rows) - 1}) {
        if (c.batches) refuse_at(library, trainer, a, ranks, a.index[i], c.rows);
        if (c.mixes) refuse_at(library, trainer, a, ranks, a.partner[i], c.rows);
        if (c.loss == CROSS_ENTROPY) refuse_at(library, trainer, a, ranks, a.class_N[c.batches ? a.index[i] : i], c.C);
    }
}

// Told to stop before its first step, it writes nothing.
static void stop_at_once(const Library& library, Trainer* trainer, Arrays& a) {
    Bits before, after;
    for (Bits* bits : {&before, &after}) {
        bits->add(a.params), bits->add(a.first_moment), bits->add(a.loss_SR), bits->add(a.z_RNC);
        if (bits == &after) break;
        a.stop[0] = 1, a.next[0] = 0;
        if (library.train(trainer, 0, a.members.data(), a.steps.data(), a.stop.data()) != STOPPED) fail("it went on");
        a.next[0] = 0;
        const int64_t rows = a.steps[0].rows;
        if (library.outputs(trainer, 0, a.members.data(), a.x_ND.data(), rows, a.z_RNC.data(), a.stop.data()) != STOPPED)
            fail("an evaluation went on");
        a.stop[0] = 0;
    }
    if (before.hash != after.hash) fail("a training that was told to stop has written");
}

static Trainer* open_after_failures(const Library& library, const Arrays& a, int64_t rows, int32_t units, int32_t ranks) {
    for (int64_t number = 0;; number++) {  // each of its allocations fails once
        failing = number, allocations = 0;
        Trainer* trainer = library.open(a.network.data(), a.hash.data(), rows, units, ranks);
        failing = -1;
        if (allocations <= number) return trainer;
        if (trainer) fail("an allocation that failed was not noticed");
    }
}

// second: the second of the two layouts that a network can have.
static void run(int64_t number, Placement placement, const Library& library, bool second, int32_t ranks) {
    Random random{(uint64_t)number * 0x100000001b3u};
    const Case c(random);
    const int32_t units = c.convolutions.empty() ? second : second ? EXAMPLES : UNITS;
    Arrays a(c, placement);
    draw(c, random, a);
    Buffer<float> before(Placement::heap, a.params.size());
    std::memcpy(before.data(), a.params.data(), (size_t)a.params.size() * sizeof(float));
    Trainer* trainer = number % 16 ? library.open(a.network.data(), a.hash.data(), c.largest, units, ranks)
                                   : open_after_failures(library, a, c.largest, units, ranks);
    if (!trainer) fail("no memory");
    if (number % 4 == 0) refuse(library, trainer, c, a, ranks);
    a.index.close(), a.class_N.close(), a.partner.close();
    if (number % 4 == 1 && ranks == 1) stop_at_once(library, trainer, a);
    const int64_t middle = c.cut ? c.steps / 2 : 0;
    if (middle) train(library, trainer, a, ranks, 0, middle);
    train(library, trainer, a, ranks, middle, c.steps);
    allocations = a.next[0] = 0;
    together(ranks, [&](int32_t rank) {
        return library.outputs(trainer, rank, a.members.data(), a.x_ND.data(), c.rows, a.z_RNC.data(), a.stop.data());
    });
    if (allocations && ranks == 1) fail("memory was asked for in an evaluation");
    library.close(trainer);
    Bits bits;
    for (const Buffer<float>* b : {&a.loss_SR, &a.params, &a.grads, &a.first_moment, &a.second_moment, &a.average, &a.z_RNC})
        bits.add(*b);
    for (int64_t i = 0; i < c.members; i++) {
        bool trains = false;
        for (int64_t r = 0; r < c.trained; r++) trains |= a.row_R[r] == i;
        for (int64_t j = 0; j < c.n; j++)
            if ((!trains || !c.used(j)) && std::memcmp(&before[i * c.n + j], &a.params[i * c.n + j], 4))
                fail("a number that is not the trained members' was written");
    }
    const char* layout = units == EXAMPLES ? "examples" : units ? "units" : "members";
    std::printf("%" PRId64 " %s %s×%d %016" PRIx64 "\n", number, library.name, layout, ranks, bits.hash);
}

int main(int count, char** words) {
    if (count < 4) return std::fprintf(stderr, "lanes_trial FIRST COUNT PLACEMENT [SET]\n"), 2;
    const int64_t first = std::atoll(words[1]), stop = first + std::atoll(words[2]);
    const char p = words[3][0];
    const Placement placement = p == 'e' ? Placement::end : p == 'b' ? Placement::begin : Placement::heap;
    for (int64_t number = first; number < stop; number++)
        for (int32_t i = 0;; i++) {
            int32_t fused;
            const Library* library = treino_lanes(i, &fused);
            if (!library) break;
            if (count > 4 && std::strcmp(words[4], library->name)) continue;
            for (int32_t second = 0; second < 2; second++)
                for (int32_t ranks = 1; ranks <= (number % 2 ? 4 : 2); ranks++) run(number, placement, *library, second, ranks);
        }
    return 0;
}
