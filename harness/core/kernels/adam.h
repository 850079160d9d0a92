// One update by Adam or AdamW (Kingma & Ba 2015; Loshchilov & Hutter 2019):
//   θ ← (1 − ηλ)θ,  m ← m + (1−β₁)(g − m),  v ← v + (1−β₂)(g² − v),  θ ← θ − (η / (1−β₁ᵗ)) m / (√v / √(1−β₂ᵗ) + ε)

#pragma once

#include <cmath>

#include "vectors.h"

// A number that each weight has its own of, or all have in common.
struct Number {
    const float* at;
    int64_t member, weight;  // how far apart those of two members, and of two weights, are; 0: the same

    Number of(int64_t k) const { return {at + k * member, member, weight}; }
};

// A group's numbers; those of its first member first.
struct Adam {
    Number beta1, beta2, eps, decay;  // decay: null for none
    int64_t corrected;                // by 1 − βᵗ, or not
};

namespace {

// The weights from i on, as many of them as a vector has.
inline Vector numbers(Number number, int64_t i, int64_t count) {
    return number.weight ? load(number.at + i, count - i) : Vector{} + *number.at;
}

inline Vector root(Vector v) {
    for (int64_t i = 0; i < LANES; ++i) v[i] = std::sqrt(v[i]);
    return v;
}

// Moves n weights of the group's member k. It is never inlined: whoever calls it, with whatever part of
// a row, gets the same roundings.
__attribute__((noinline)) void adam(int64_t n, const float* g, float* w, float* m, float* v, Number lr,
                                    const Adam& group, Number decay, int64_t k, int64_t t) {
    const float beta1 = *group.beta1.of(k).at, beta2 = *group.beta2.of(k).at, eps = *group.eps.of(k).at;
    const float fresh1 = 1.0f - beta1, fresh2 = 1.0f - beta2;
    float rate = 1.0f, growth = 1.0f;
    if (group.corrected) {
        rate = 1.0 / (1.0 - std::pow(double(beta1), double(t)));
        growth = 1.0 / std::sqrt(1.0 - std::pow(double(beta2), double(t)));
    }
    for (int64_t i = 0; i < n; i += LANES) {
        const Vector gradient = load(g + i, n - i);
        const Vector mean = load(m + i, n - i), square = load(v + i, n - i);
        const Vector new_mean = mean + (gradient - mean) * fresh1;
        const Vector new_square = square + (gradient * gradient - square) * fresh2;
        store(m + i, new_mean, n - i);
        store(v + i, new_square, n - i);
        const Vector eta = numbers(lr, i, n);
        Vector weights = load(w + i, n - i);
        if (decay.at) weights *= 1.0f - eta * numbers(decay, i, n);
        const Vector divisor = root(new_square) * growth + eps;
        store(w + i, weights - (eta * rate) * (new_mean / divisor), n - i);
    }
}

}  // namespace
