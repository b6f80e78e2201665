// The library's functions for one instruction set: compiled once for each, with LANES_SET as its name.
#include <ctime>

#include "passes.hpp"

namespace LANES_SET {

static double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int32_t train(Trainer* trainer, const Members* m, const Steps* steps, Progress* at, double seconds) {
    Block& k = *(Block*)trainer;
    const SmallIsZero mode;
    const double end = now() + seconds;
    if (at->member == 0 && at->step == steps->start) k.loaded = false;  // what an interrupted call left
    while (at->member < m->count) {
        if (!k.loaded) load(k, *m, at->member);
        for (int64_t looked = 0; at->step < steps->stop;) {
            float* loss_R = steps->loss_SR + at->step * m->count + at->member;
            if (!step(k, *m, *steps, at->step, loss_R)) return k.loaded = false, OUT_OF_RANGE;
            at->step++;  // one step at least in every call
            if (looked += steps->rows * k.size; looked > 1000000) {  // or 0.1 ms, about
                if (looked = 0, now() > end) return OUT_OF_TIME;
            }
        }
        at->member += k.used;
        at->step = at->member < m->count ? steps->start : at->step;
        store(k, *m);
    }
    return DONE;
}

static void outputs(Trainer* trainer, const Members* m, const float* x_ND, int64_t rows, float* z_RNC) {
    Block& k = *(Block*)trainer;
    const SmallIsZero mode;
    const Layer& last = k.layer[k.layers - 1];
    const float* z = (const float*)last.value;
    const int64_t wide = k.units ? 1 : LANES;
    for (int64_t first = 0; first < m->count; first += k.used) {
        choose(k, *m, first);
        fetch(k, k.state.p, m->params);
        if (k.gates) multiply_gates(k);
        for (int64_t s0 = 0; s0 < rows; s0 += k.S) {
            const int64_t n = rows - s0 < k.S ? rows - s0 : k.S;
            const float* x = k.pictures ? features_of(k, x_ND, nullptr, nullptr, s0, n, false) : inputs_of(k, x_ND, nullptr, s0, n);
            forward(k, x, n, 0, false);
            for (int64_t lane = 0; lane < k.used; lane++)
                for (int64_t t = 0; t < n; t++)
                    for (int64_t c = 0; c < k.C; c++)
                        z_RNC[((first + lane) * rows + s0 + t) * k.C + c] =
                            z[t * last.row * LANES + c * wide + (k.units ? 0 : lane)];
        }
    }
    k.loaded = false;
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
