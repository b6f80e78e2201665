// The library's functions for one instruction set: compiled once for each, with LANES_SET as its name.
#include "passes.hpp"

namespace LANES_SET {

// The number of the members that this trainer takes next: one, or as many as there are lanes.
static int64_t take(const Block& k, const Members& m) {
    return __atomic_fetch_add(m.next, k.units ? 1 : LANES, __ATOMIC_RELAXED);
}

static int32_t train(Trainer* trainer, const Members* m, const Steps* steps, const int32_t* stop) {
    Block& k = *(Block*)trainer;
    const SmallIsZero mode;
    for (int64_t first; (first = take(k, *m)) < m->count;) {
        load(k, *m, first);
        for (int64_t s = steps->start; s < steps->stop; s++) {
            const Answer answer = train_step(k, *m, *steps, s, steps->loss_SR + s * m->count + first, stop);
            if (answer != DONE) return answer;
        }
        store(k, *m);
    }
    return DONE;
}

static int32_t outputs(Trainer* trainer, const Members* m, const float* x_ND, int64_t rows, float* z_RNC,
                       const int32_t* stop) {
    Block& k = *(Block*)trainer;
    const SmallIsZero mode;
    const Layer& last = k.layer[k.layers - 1];
    const float* z = (const float*)last.value;
    const int64_t wide = k.units ? 1 : LANES;
    for (int64_t first; (first = take(k, *m)) < m->count;) {
        choose(k, *m, first);
        fetch(k, k.state.p, m->params);
        if (k.gates) multiply_gates(k);
        for (int64_t s0 = 0; s0 < rows; s0 += k.S) {
            if (stopped(stop)) return STOPPED;
            const int64_t n = rows - s0 < k.S ? rows - s0 : k.S;
            forward(k, inputs_of(k, x_ND, nullptr, s0, n), n, 0, false);
            for (int64_t lane = 0; lane < k.used; lane++)
                for (int64_t t = 0; t < n; t++)
                    for (int64_t c = 0; c < k.C; c++)
                        z_RNC[((first + lane) * rows + s0 + t) * k.C + c] =
                            z[t * last.row * LANES + c * wide + (k.units ? 0 : lane)];
        }
    }
    return DONE;
}

static void map(int32_t function, const float* x, float* y, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES) {
        const size_t bytes = (size_t)(count - i < LANES ? count - i : LANES) * sizeof(float);
        V v = splat(0.f);
        std::memcpy(&v, x + i, bytes);
        v = function == 0 ? exponential(v) : function == 1 ? logarithm(v) : function == 2 ? tangent(v)
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
