// The mean cross-entropy of tokens whose targets are whole numbers, and its gradient by their logits.

#pragma once

#include <cmath>

#include "batch.h"
#include "cross_entropy.h"
#include "vectors.h"

namespace {

// One token's logits, as many as there are classes.
struct Logits {
    float* at;
    int64_t classes;

    // A vector of them, with the given number behind the last one.
    Vector from(int64_t i, float behind) const {
        return LANE < int32_t(classes - i) ? load(at + i) : Vector{} + behind;
    }
};

inline float largest(Vector v) {
    float most = v[0];
    for (int64_t i = 1; i < LANES; ++i) most = most < v[i] ? v[i] : most;
    return most;
}

// Whether a class is the first of the largest logits; a number that is none is largest.
inline bool is_largest(Logits logits, int64_t target) {
    const Vector a = Vector{} + logits.at[target];
    Whole beaten = {};
    for (int64_t i = 0; i < logits.classes; i += LANES) {
        const Vector b = logits.from(i, -INFINITY);
        const Whole before = LANE < int32_t(target - i);
        beaten |= (b > a) | ((b != b) & (a == a)) | (before & ((b == a) | ((b != b) & (a != a))));
    }
    for (int64_t i = 0; i < LANES; ++i)
        if (beaten[i]) return false;
    return true;
}

// Writes exp(a − max a) in the place of logits a. Returns their sum, and Σ (a − max a).
struct TokenExponentials {
    float most, sum, shifted;

    explicit TokenExponentials(Logits logits) {
        Vector high = logits.from(0, -INFINITY);
        for (int64_t i = LANES; i < logits.classes; i += LANES) {
            const Vector a = logits.from(i, -INFINITY);
            high = high < a ? a : high;
        }
        most = largest(high);
        Vector parts = {}, below = {};
        for (int64_t i = 0; i < logits.classes; i += LANES) {
            const Vector a = logits.from(i, most) - most;
            store(logits.at + i, exponential(a));
            below += a;
            parts += logits.from(i, 0.0f);
        }
        sum = total(parts);
        shifted = total(below);
    }
};

// Returns the mean of −Σ y log softmax(a) over the tokens that count, y = 1 − α of the target and α of all
// classes alike, and writes its gradient in the logits' place, (tokens, row).
float token_loss(const Batch& batch, int64_t k, int64_t places, int64_t classes, float* logits, int64_t row) {
    int64_t counted = 0;
    for (int64_t i = 0; i < batch.size; ++i)
        for (int64_t t = 0; t < places; ++t) counted += batch.target(k, i, t) != batch.ignored;
    const float share = 1.0f / std::max(counted, int64_t(1));
    const float smoothing = batch.smoothing ? batch.smoothing[k] : 0.0f, each = smoothing / classes;
    double loss = 0.0;
    for (int64_t i = 0; i < batch.size; ++i)
        for (int64_t t = 0; t < places; ++t, logits += row) {
            const int64_t target = batch.target(k, i, t);
            if (target == batch.ignored) {
                std::fill(logits, logits + row, 0.0f);
                continue;
            }
            const float a = logits[target];
            const TokenExponentials e({logits, classes});
            loss += std::log(e.sum) - (1.0f - smoothing) * (a - e.most) - (smoothing ? each * e.shifted : 0.0f);
            for (int64_t j = 0; j < row; j += LANES) store(logits + j, (load(logits + j) / e.sum - each) * share);
            logits[target] -= (1.0f - smoothing) * share;
        }
    return float(loss * share);
}

// Adds the losses of the tokens that count, and how many of their largest logits are the targets'; the
// logits are written over.
void score_tokens(const Batch& batch, int64_t k, int64_t places, int64_t classes, float* logits, int64_t row,
                  double& loss, int64_t& right) {
    for (int64_t i = 0; i < batch.size; ++i)
        for (int64_t t = 0; t < places; ++t, logits += row) {
            const int64_t target = batch.target(k, i, t);
            if (target == batch.ignored) continue;
            const float a = logits[target];
            right += is_largest({logits, classes}, target);
            const TokenExponentials e({logits, classes});
            loss += std::log(e.sum) - (a - e.most);
        }
}

}  // namespace
