// GELU, aΦ(a) with the normal distribution's Φ (Hendrycks & Gimpel 2016), and its derivative.

#pragma once

#include "cross_entropy.h"
#include "vectors.h"

namespace {

// a ← aΦ(a + b) of a + b, slope = Φ + (a + b)φ. Φ to 10⁻⁷ by its tail times e^(a²/2), a polynomial of
// 1/(1 + p|a|/√2) (Abramowitz & Stegun 1964, 7.1.26); φ has the same power of e.
void gelu(int64_t tokens, int64_t features, const float* bias, float* a, float* slope) {
    const int64_t row = padded(features);
    for (int64_t t = 0; t < tokens; ++t)
        for (int64_t i = 0; i < row; i += LANES) {
            const Vector x = load(a + t * row + i) + load(bias + i, features - i);
            const Vector far = x < 0.0f ? -x : x;
            const Vector power = exponential(-0.5f * x * x);
            const Vector near = 1.0f / (1.0f + 0.231641887f * far);
            Vector tail = Vector{} + 1.061405429f;
            for (float c : {-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f}) tail = tail * near + c;
            tail *= 0.5f * near * power;
            const Vector below = x < 0.0f ? tail : 1.0f - tail;
            store(slope + t * row + i, below + x * (0.398942280f * power));
            store(a + t * row + i, x * below);
        }
}

}  // namespace
