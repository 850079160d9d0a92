// Layer norm of tokens, which are rows of whole vectors with zeros behind their features.

#pragma once

#include <cmath>

#include "layer.h"
#include "vectors.h"

namespace {

constexpr float NORM_EPS = 1e-5f;

// What a norm leaves: x̂ and γx̂ + β (tokens, features), and 1/σ (tokens).
struct Normed {
    float *normal, *out, *rate;
};

// x̂ = (x − μ) / √(σ² + ε) along the features of each token.
void normalize(const Layer& layer, int64_t k, int64_t tokens, const float* x, Normed to) {
    const int64_t features = layer.outputs, row = padded(features);
    const float *scale = layer.w + k * layer.w_member, *shift = layer.b + k * layer.b_member;
    for (int64_t t = 0; t < tokens; ++t) {
        const float* own = x + t * row;
        float *normal = to.normal + t * row, *out = to.out + t * row;
        Vector sum = {}, squares = {};
        for (int64_t i = 0; i < row; i += LANES) sum += load(own + i);
        const float mean = total(sum) / features;
        for (int64_t i = 0; i < row; i += LANES) {
            const Vector a = LANE < int32_t(features - i) ? load(own + i) - mean : Vector{};
            squares += a * a;
            store(normal + i, a);
        }
        const float rate = to.rate[t] = 1.0f / std::sqrt(total(squares) / features + NORM_EPS);
        for (int64_t i = 0; i < row; i += LANES) {
            const Vector a = load(normal + i) * rate;
            store(normal + i, a);
            store(out + i, a * load(scale + i, features - i) + load(shift + i, features - i));
        }
    }
}

// Adds the gradient by x to d_x, from that by γx̂ + β; writes those by γ and β.
void normalize_backward(const Layer& layer, int64_t k, int64_t tokens, const float* d, Normed of, float* d_x) {
    const int64_t features = layer.outputs, row = padded(features);
    const float* scale = layer.w + k * layer.w_member;
    for (int64_t t = 0; t < tokens; ++t) {
        const float *own = d + t * row, *normal = of.normal + t * row;
        Vector sum = {}, along = {};
        for (int64_t i = 0; i < row; i += LANES) {
            const Vector g = load(own + i) * load(scale + i, features - i);
            sum += g;
            along += g * load(normal + i);
        }
        // ∂L/∂x = (g − mean g − x̂ · mean gx̂) / σ, g = γd
        const float mean = total(sum) / features, share = total(along) / features;
        for (int64_t i = 0; i < row; i += LANES) {
            const Vector g = load(own + i) * load(scale + i, features - i);
            store(d_x + t * row + i, load(d_x + t * row + i) + of.rate[t] * (g - mean - load(normal + i) * share));
        }
    }
    for (int64_t i = 0; i < row; i += LANES) {
        Vector by_scale = {}, by_shift = {};
        for (int64_t t = 0; t < tokens; ++t) {
            const Vector a = load(d + t * row + i);
            by_scale += a * load(of.normal + t * row + i);
            by_shift += a;
        }
        store(layer.d_w + k * layer.d_w_member + i, by_scale, features - i);
        store(layer.d_b + k * layer.d_b_member + i, by_shift, features - i);
    }
}

}  // namespace
