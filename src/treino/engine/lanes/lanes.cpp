// The library's door: which instruction sets were built in and run on this processor, and from which sources.
#include "border.hpp"

extern "C" {
#if defined(__x86_64__)
const Library* treino_lanes_avx512();
const Library* treino_lanes_avx2();
const Library* treino_lanes_sse2();
#elif defined(__aarch64__)
const Library* treino_lanes_neon();
#endif

// Number i of them, the fastest first; null: there are no more. fused: whether the processor multiplies and
// adds in one instruction; where it doesn't, the C library does it, with the same bits and slowly.
__attribute__((visibility("default"))) const Library* treino_lanes(int32_t i, int32_t* fused) {
    const Library* found[4] = {};
    int count = 0;
    *fused = 1;
#if defined(__x86_64__)
    __builtin_cpu_init();
    const bool fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    if (fma && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
        found[count++] = treino_lanes_avx512();
    if (fma) found[count++] = treino_lanes_avx2();
    *fused = i < count;
    found[count++] = treino_lanes_sse2();
#elif defined(__aarch64__)
    found[count++] = treino_lanes_neon();
#endif
    return i >= 0 && i < count ? found[i] : nullptr;
}

__attribute__((visibility("default"))) const char* treino_lanes_sources() { return LANES_SOURCES; }
}
