// The mean cross-entropy of classes, and its gradient by the outputs.

#pragma once

#include <algorithm>
#include <cmath>

#include "batch.h"
#include "vectors.h"

namespace {

// eˣ for x ≤ 0, to a unit in the last place: 2ⁿ eʳ with |r| ≤ ½ ln 2, eʳ by its series.
inline Vector exponential(Vector x) {
    x = x < -87.0f ? Vector{} - 87.0f : x;
    const Whole n = __builtin_convertvector(x * 1.44269504f - 0.5f, Whole);
    const Vector whole = __builtin_convertvector(n, Vector);
    const Vector r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
    Vector e = Vector{} + 1.0f / 5040;
    for (float c : {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f}) e = e * r + c;
    const Whole power = (n + 127) << 23;
    Vector scale;
    std::memcpy(&scale, &power, sizeof scale);
    return e * scale;
}

// Returns the mean of −Σ y log softmax(out), and writes its gradient (softmax(out) − y) / batch in
// out's place; columns of padding become 0.
float cross_entropy(const Batch& batch, int64_t k, int64_t outputs, float* out) {
    const int64_t row = padded(batch.size);
    const float* y = batch.y + k * batch.y_member;
    float total = 0.0f;
    for (int64_t from = 0; from < row; from += LANES) {
        const int64_t here = std::min(LANES, batch.size - from);
        int64_t sample[LANES];
        for (int64_t i = 0; i < here; ++i) sample[i] = batch.sample(k, from + i) * batch.y_sample;
        const auto targets = [&](int64_t o) {
            float numbers[LANES] = {};
            for (int64_t i = 0; i < here; ++i) numbers[i] = y[sample[i] + o * batch.y_output];
            return load(numbers);
        };
        Vector most = load(out + from), sum = {}, inner = {}, share = {};
        for (int64_t i = 0; i < here; ++i) share[i] = 1.0f / batch.size;
        for (int64_t o = 1; o < outputs; ++o) {
            const Vector a = load(out + o * row + from);
            most = most < a ? a : most;
        }
        for (int64_t o = 0; o < outputs; ++o) {
            float* at = out + o * row + from;
            const Vector a = load(at) - most, e = exponential(a);
            inner += targets(o) * a;
            sum += e;
            store(at, e);
        }
        for (int64_t i = 0; i < here; ++i) total += std::log(sum[i]) - inner[i];
        for (int64_t o = 0; o < outputs; ++o) {
            float* at = out + o * row + from;
            store(at, (load(at) / sum - targets(o)) * share);
        }
    }
    return total / batch.size;
}

}  // namespace
