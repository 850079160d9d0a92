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

// The targets of a vector of samples, from some sample of the batch on; 0 beyond its last one.
struct Targets {
    const float* y;
    int64_t here, output;
    int64_t sample[LANES];

    Targets(const Batch& batch, int64_t k, int64_t from)
        : y(batch.y + k * batch.y_member), here(std::min(LANES, batch.size - from)), output(batch.y_output) {
        for (int64_t i = 0; i < here; ++i) sample[i] = batch.sample(k, from + i) * batch.y_sample;
    }

    Vector of(int64_t o) const {
        float numbers[LANES] = {};
        for (int64_t i = 0; i < here; ++i) numbers[i] = y[sample[i] + o * output];
        return load(numbers);
    }
};

// Writes exp(out − max out) of a vector of samples in out's place, (outputs, ·) with rows so far apart.
// Returns its sum, and Σ y (out − max out): −Σ y log softmax(out) = log sum − inner.
struct Exponentials {
    Vector sum = {}, inner = {};

    Exponentials(const Targets& targets, int64_t outputs, float* out, int64_t row) {
        Vector most = load(out);
        for (int64_t o = 1; o < outputs; ++o) {
            const Vector a = load(out + o * row);
            most = most < a ? a : most;
        }
        for (int64_t o = 0; o < outputs; ++o) {
            const Vector a = load(out + o * row) - most, e = exponential(a);
            inner += targets.of(o) * a;
            sum += e;
            store(out + o * row, e);
        }
    }

    float loss(int64_t i) const { return std::log(sum[i]) - inner[i]; }
};

// Returns the mean of −Σ y log softmax(out), and writes its gradient (softmax(out) − y) / batch in
// out's place; columns of padding become 0.
float cross_entropy(const Batch& batch, int64_t k, int64_t outputs, float* out) {
    const int64_t row = padded(batch.size);
    float total = 0.0f;
    for (int64_t from = 0; from < row; from += LANES) {
        const Targets targets(batch, k, from);
        const Exponentials exponentials(targets, outputs, out + from, row);
        Vector share = {};
        for (int64_t i = 0; i < targets.here; ++i) {
            share[i] = 1.0f / batch.size;
            total += exponentials.loss(i);
        }
        for (int64_t o = 0; o < outputs; ++o) {
            float* at = out + o * row + from;
            store(at, (load(at) / exponentials.sum - targets.of(o)) * share);
        }
    }
    return total / batch.size;
}

// The first of the largest rows (outputs, ·) of a vector of samples; a number that is none is largest.
template <class Row>
Whole largest_of(int64_t outputs, Row row) {
    Vector most = row(0);
    Whole first = {};
    for (int64_t o = 1; o < outputs; ++o) {
        const Vector a = row(o);
        const Whole larger = (a > most) | ((a != a) & (most == most));
        most = larger ? a : most;
        first = larger ? Whole{} + int32_t(o) : first;
    }
    return first;
}

// Adds the samples' losses, and how many of their largest outputs are the targets'; out is written over.
void score(const Batch& batch, int64_t k, int64_t outputs, float* out, double& loss, int64_t& right) {
    const int64_t row = padded(batch.size);
    for (int64_t from = 0; from < row; from += LANES) {
        const Targets targets(batch, k, from);
        const Whole guess = largest_of(outputs, [&](int64_t o) { return load(out + o * row + from); });
        const Whole target = largest_of(outputs, [&](int64_t o) { return targets.of(o); });
        const Exponentials exponentials(targets, outputs, out + from, row);
        for (int64_t i = 0; i < targets.here; ++i) {
            loss += exponentials.loss(i);
            right += guess[i] == target[i];
        }
    }
}

}  // namespace
