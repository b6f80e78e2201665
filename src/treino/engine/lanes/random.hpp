// The random numbers of dropout, as functions of seed, layer, step and element: those of rng.py.
#pragma once
#include <cmath>
#include <cstdint>

namespace LANES_SET {

static inline uint64_t mix(uint64_t x) {  // splitmix64's finaliser (Steele, Lea & Flood 2014)
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
    x = (x ^ x >> 27) * 0x94D049BB133111EBu;
    return x ^ x >> 31;
}

// Element e is kept where hash(e) a + b ≥ threshold; a is the low half made odd, b the high half.
static inline uint64_t dropout_key(int64_t seed, int64_t layer, int64_t step) {
    return mix(mix(mix((uint64_t)seed) + (uint64_t)layer) + (uint64_t)step);
}

static inline int32_t dropout_threshold(double rate) {
    const double share = std::nearbyint(rate * 0x1p32), most = 0x1p32 - 1;
    return (int32_t)((int64_t)(share < most ? share : most) - ((int64_t)1 << 31));
}

}  // namespace LANES_SET
