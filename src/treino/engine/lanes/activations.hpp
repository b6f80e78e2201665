// Activations and their derivatives, as torch defines them.
#pragma once
#include "border.hpp"
#include "functions.hpp"

namespace LANES_SET {

constexpr float LEAK = 0.01f;

// Whether the derivative is had from z; else from f(z) alone.
INLINE bool by_input(int32_t activation) { return activation == GELU || activation == SILU; }

template <int32_t F> INLINE V activated(V z) {
    if constexpr (F == RELU) return z < 0.f ? splat(0.f) : z;
    if constexpr (F == LEAKY_RELU) return z > 0.f ? z : z * LEAK;
    if constexpr (F == GELU) return z * 0.5f * (1.f + error_function(z * 0x1.6a09e6p-1f));
    if constexpr (F == SILU) return z * logistic(z);
    if constexpr (F == TANH) return hyperbolic_tangent(z);
    if constexpr (F == SIGMOID) return logistic(z);
    return z;
}

// d f'(z); v is z or f(z), see by_input.
template <int32_t F> INLINE V chained(V d, V v) {
    if constexpr (F == RELU) return v <= 0.f ? splat(0.f) : d;
    if constexpr (F == LEAKY_RELU) return v > 0.f ? d : d * LEAK;
    if constexpr (F == GELU) {
        V share = 0.5f * (1.f + error_function(v * 0x1.6a09e6p-1f));
        V density = exponential(v * v * -0.5f) * 0x1.988454p-2f;
        return d * fma(v, density, share);
    }
    if constexpr (F == SILU) {
        V s = logistic(v);
        return d * (s * fma(v, 1.f - s, splat(1.f)));
    }
    if constexpr (F == TANH) return d * (1.f - v * v);
    if constexpr (F == SIGMOID) return d * ((1.f - v) * v);
    return d;
}

// function(constant) is called with the activation as a type's value.
template <class Function> INLINE void with_activation(int32_t activation, const Function& function) {
    switch (activation) {
        case RELU: return function(Constant<RELU>());
        case LEAKY_RELU: return function(Constant<LEAKY_RELU>());
        case GELU: return function(Constant<GELU>());
        case SILU: return function(Constant<SILU>());
        case TANH: return function(Constant<TANH>());
        case SIGMOID: return function(Constant<SIGMOID>());
        default: return;  // the identity changes nothing
    }
}

}  // namespace LANES_SET
