// The library's functions for one instruction set: compiled once for each, with LANES_SET as its name.
#include "passes.hpp"

namespace LANES_SET {

// The number of the members that a team takes next: one, or as many as there are lanes.
static int64_t take(Block& k, Rank& rank, const Members& m) {
    if (rank.first()) k.first = __atomic_fetch_add(m.next, k.units ? 1 : LANES, __ATOMIC_RELAXED);
    return rank.wait() ? k.first : -1;
}

static int32_t train(Trainer* trainer, int32_t number, const Members* m, const Steps* steps, const int32_t* stop) {
    Block& k = *(Block*)trainer;
    Rank& rank = k.rank[number];
    rank.stop = stop;
    for (int64_t first; (first = take(k, rank, *m)) < m->count;) {
        if (first < 0) return STOPPED;
        if (rank.first()) load(k, *m, *steps, first);
        if (!rank.wait()) return STOPPED;
        for (int64_t s = steps->start; s < steps->stop; s++) {
            const Answer answer = train_step(k, rank, *m, *steps, s, steps->loss_SR + s * m->count + first);
            if (answer != DONE) return answer;
        }
        if (rank.first()) store(k, *m);
    }
    return DONE;
}

static int32_t outputs(Trainer* trainer, int32_t number, const Members* m, const float* x_ND, int64_t rows,
                       float* z_RNC, const int32_t* stop) {
    Block& k = *(Block*)trainer;
    Rank& rank = k.rank[number];
    Rank alone{nullptr, 0, 1, 0, stop};  // of its rows, which go through all layers without the others
    rank.stop = stop;
    const Layer& last = k.layer[k.layers - 1];
    const float* z = (const float*)last.value;
    const int64_t wide = k.units ? 1 : LANES;
    for (int64_t first; (first = take(k, rank, *m)) < m->count;) {
        if (first < 0) return STOPPED;
        if (rank.first()) {
            assign_lanes(k, *m, first);
            fetch(k, k.state.p, m->params);
            if (k.gates) multiply_gates(k);
        }
        if (!rank.wait()) return STOPPED;
        // its own rows of all, and its own rows of the block's room, which no other rank writes
        const int64_t together = k.pictures ? SIXTEEN : 1, room = (rows < k.S ? rows : k.S) + together - 1;
        const int64_t ranks = rank.ranks < room / together ? rank.ranks : room / together;
        if (number >= ranks) continue;
        const Rank part{nullptr, number, ranks, 0, nullptr};
        Range all = part.share((rows + together - 1) / together), own = part.share(room / together);
        all = {all.begin * together, all.end * together < rows ? all.end * together : rows};
        own = {own.begin * together, own.end * together};
        for (int64_t s0 = all.begin; s0 < all.end; s0 += own.end - own.begin) {
            if (stopped(stop)) return STOPPED;
            const int64_t end = s0 + own.end - own.begin, n = (end < all.end ? end : all.end) - s0;
            const Range here{own.begin, own.begin + n};
            const float* x = k.pictures ? features_of(k, rank, x_ND, Batch{}, s0 - own.begin, here, false)
                                        : inputs_of(k, rank, x_ND, nullptr, s0 - own.begin, here);
            forward(k, alone, x, here, 0, false);
            for (int64_t lane = 0; lane < k.used; lane++)
                for (int64_t t = 0; t < n; t++)
                    for (int64_t c = 0; c < k.C; c++)
                        z_RNC[((first + lane) * rows + s0 + t) * k.C + c] =
                            z[(own.begin + t) * last.row * LANES + c * wide + (k.units ? 0 : lane)];
        }
    }
    return DONE;
}

static void map(int32_t function, const float* x, float* y, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES) {
        const size_t bytes = (size_t)(count - i < LANES ? count - i : LANES) * sizeof(float);
        V v = splat(0.f);
        std::memcpy(&v, x + i, bytes);
        v = function == 0 ? exponential(v) : function == 1 ? logarithm(v) : function == 2 ? hyperbolic_tangent(v)
          : function == 3 ? error_function(v) : function == 4 ? logistic(v) : logarithm_of_one_and(v);
        std::memcpy(y + i, &v, bytes);
    }
}

}  // namespace LANES_SET

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)
#define JOINED_OF(a, b) a##b
#define JOINED(a, b) JOINED_OF(a, b)

extern "C" const Library* JOINED(treino_lanes_, LANES_SET)() {
    using namespace LANES_SET;
    static const Library library{TEXT(LANES_SET), LANES, open_block, close_block, train, outputs, map};
    return &library;
}
