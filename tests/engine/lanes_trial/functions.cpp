// A function of the library against the C library's in double, for every float:
//
//     functions NUMBER STRIDE
//
// prints the largest error, in units in the last place, and where it is. STRIDE: one float in so many.
// Exits with 1 where NaN, an infinity or another instruction set's bits are wrong. Numbers are those of `map`.
#include <cinttypes>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../../../src/treino/engine/lanes/border.hpp"

extern "C" const Library* treino_lanes(int32_t i, int32_t* fused);

static double sigmoid(double x) { return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x)); }

static double exact(int function, double x) {
    switch (function) {
        case 0: return std::exp(x);
        case 1: return std::log(x);
        case 2: return std::tanh(x);
        case 3: return std::erf(x);
        case 4: return sigmoid(x);
        default: return std::log1p(x);
    }
}

[[noreturn]] static void fail(const char* what, float x, float y) {
    std::printf("fault: %s: f(%a) = %a\n", what, (double)x, (double)y);
    std::exit(1);
}

int main(int count, char** words) {
    if (count < 3) return std::fprintf(stderr, "functions NUMBER STRIDE\n"), 2;
    const int function = std::atoi(words[1]);
    const uint64_t stride = std::strtoull(words[2], nullptr, 10);
    constexpr int N = 4096;
    static float x[N], y[N], other[N];
    double largest = 0;
    float where = 0;
    for (uint64_t next = 0; next < 1ull << 32;) {
        int n = 0;
        for (; n < N && next < 1ull << 32; next += stride) {
            const uint32_t bits = (uint32_t)next;
            std::memcpy(&x[n], &bits, 4);
            if (function < 5 || (x[n] >= 0 && x[n] <= 1)) n++;  // log1p is for those alone
        }
        int32_t fused;
        treino_lanes(0, &fused)->map(function, x, y, n);
        for (int32_t i = 1; const Library* library = treino_lanes(i, &fused); i++) {
            library->map(function, x, other, n);
            for (int k = 0; k < n; k++)
                if (std::memcmp(&y[k], &other[k], 4) && (y[k] == y[k] || other[k] == other[k]))
                    fail(library->name, x[k], other[k]);
        }
        for (int k = 0; k < n; k++) {
            const double wanted = exact(function, x[k]);
            if (std::isnan(wanted) != std::isnan(y[k])) fail("NaN", x[k], y[k]);
            if (std::isnan(wanted)) continue;
            if ((function == 0 || function == 4) && wanted < 0x1p-126) {
                if (y[k] != 0) fail("not 0", x[k], y[k]);
                continue;
            }
            if (std::fabs(wanted) > 3.41e38 && (double)y[k] != std::copysign(HUGE_VAL, wanted)) fail("inf", x[k], y[k]);
            if (std::fabs(wanted) > 3.4028234e38) continue;
            int exponent;
            std::frexp(wanted, &exponent);
            const double unit = std::ldexp(1.0, (exponent > -125 ? exponent : -125) - 24);
            const double error = std::fabs((double)y[k] - wanted) / unit;
            if (error > largest) largest = error, where = x[k];
        }
    }
    std::printf("%.3f %a\n", largest, (double)where);
}
