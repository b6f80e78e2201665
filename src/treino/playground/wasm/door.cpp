// The library's door in a web page: the functions of the one instruction set of WebAssembly, and loops over pixels
// and rows that would be slow in JavaScript.
#include <cmath>
#include <cstdlib>

#include "border.hpp"
#include "random.hpp"
#include "vectors.hpp"

extern "C" const Library* treino_lanes_wasm();

#define EXPORT extern "C" __attribute__((visibility("default"), used))

static const Library& library() { return *treino_lanes_wasm(); }
static const int32_t GO = 0;

// The hash of what this was built from, by which tools/wasm.py knows whether it is of these sources.
EXPORT const char* sources() { return LANES_SOURCES; }

EXPORT void* allocate(int32_t bytes) { return std::aligned_alloc(64, (size_t)(bytes + 63) / 64 * 64); }
EXPORT void release(void* memory) { std::free(memory); }

EXPORT Trainer* open_trainer(const Network* net, const int32_t* hash, int32_t rows, int32_t units) {
    return library().open(net, hash, rows, units, 1);
}
EXPORT void close_trainer(Trainer* trainer) { library().close(trainer); }
EXPORT int32_t train(Trainer* trainer, const Members* members, const Steps* steps) {
    *members->next = 0;
    return library().train(trainer, 0, members, steps, &GO);
}
EXPORT int32_t outputs(Trainer* trainer, const Members* members, const float* x_ND, int32_t rows, float* z_RNC) {
    *members->next = 0;
    return library().outputs(trainer, 0, members, x_ND, rows, z_RNC, &GO);
}
EXPORT void map(int32_t function, const float* x, float* y, int32_t count) { library().map(function, x, y, count); }

// Whether the browser rounds a b + c once, numbers below 2^-126 too: relaxed instructions may also round twice.
// (1 + 2^-12)² − 1 keeps its 2^-24 only then.
EXPORT int32_t fused() {
    volatile float a = 1.f + 0x1p-12f, c = -1.f, tiny = 0x1p-140f, one = 1.f;
    const auto of = [](float a, float b, float c) {
        return LANES_SET::fma(LANES_SET::splat(a), LANES_SET::splat(b), LANES_SET::splat(c))[0];
    };
    return of(a, a, c) == 0x1p-11f + 0x1p-24f && of(tiny, one, tiny) == 0x1p-139f;
}

// Each element's number for dropout, as element_hash in rng.py has it.
EXPORT void element_hashes(int32_t* hash, int32_t count) {
    for (int32_t i = 0; i < count; i++) hash[i] = (int32_t)LANES_SET::mix((uint64_t)i + 0x9E3779B9u);
}
