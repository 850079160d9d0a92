// A layer's parameters, gradients and optimizer's state, and what is done to its outputs.

#pragma once

#include "adam.h"
#include "batch.h"
#include "vectors.h"

// One layer of all members: where its parameters and their gradients lie, in numbers apart.
struct Layer {
    int64_t inputs, outputs;  // of a convolution: channels in times taps, channels out
    float *w, *b;  // b: null without a bias
    float *d_w, *d_b;
    int64_t w_member, b_member, d_w_member, d_b_member;
    const float* draws;  // (members, batch, units) from U[0, 1), by which dropout drops; null for none
    // velocities of descent, or Adam's means of squares, the first group member's first; null without
    float *v_w, *v_b;
    int64_t v_w_member, v_b_member;
    float *m_w, *m_b;  // Adam's means
    int64_t m_w_member, m_b_member;
    Number decay_w, decay_b;  // AdamW's; null for none
    int64_t shrinks_w, shrinks_b;  // whether they shrink before an update
};

// The geometry of a convolution; of signals, heights are 1.
struct Shape {
    int64_t channels, height, width;  // of its input
    int64_t kernel_h, kernel_w, stride, pad_h, pad_w;

    int64_t out_h() const { return (height + 2 * pad_h - kernel_h) / stride + 1; }
    int64_t out_w() const { return (width + 2 * pad_w - kernel_w) / stride + 1; }
    int64_t positions() const { return out_h() * out_w(); }
    int64_t taps() const { return kernel_h * kernel_w; }
};

// What a decoder-only transformer has beside its layers; their order is in gpt.h.
struct Transformer {
    int64_t blocks, heads, places, outputs;  // places: tokens of a sample
    const float *cos, *sin;  // (places, pairs of a head's features) of rotary positions; null: learned ones
    int64_t tied;            // whether the embeddings put the logits out
    float scores, logits;    // by what q·k is multiplied, and what puts the logits out
};

// A network of all members: dense layers, convolutions with one dense layer behind them, or a transformer.
struct Network {
    const Layer* layers;
    int64_t count, rectified;  // whether hidden layers are, or linear
    const Shape* shapes;       // of the convolutions, count − 1 of them; null where all is dense
    int64_t pooled;            // whether the dense layer has the mean of each channel
    const Transformer* transformer;  // null for others
};

namespace {

// a ← a + b, or max(a + b, 0), for one layer's outputs (units, batch).
void activate(const Layer& layer, int64_t k, bool rectified, int64_t size, float* a) {
    const int64_t row = padded(size);
    for (int64_t o = 0; o < layer.outputs; ++o) {
        const float bias = layer.b ? layer.b[k * layer.b_member + o] : 0.0f;
        for (int64_t i = 0; i < row; ++i) {
            const float z = a[o * row + i] + bias;
            a[o * row + i] = rectified && z <= 0.0f ? 0.0f : z;  // NaN stays
        }
    }
}

// By what dropout at a rate multiplies what it keeps.
inline float kept(const Batch& batch, int64_t k) { return 1.0f / (1.0f - batch.rate[k]); }

// Drops units (units, batch) behind a layer, if there is dropout; `before` of them are dropped before.
void drop(const Layer& layer, const Batch& batch, int64_t k, int64_t units, int64_t before, float* h,
          float* spare) {
    if (!batch.rate) return;
    const int64_t size = batch.size, row = padded(size);
    const float* draws = batch.draws ? batch.draws + before * size : layer.draws + k * size * units;
    const float rate = batch.rate[k], by = kept(batch, k);
    transpose(draws, units, size, units, spare, row);
    for (int64_t o = 0; o < units; ++o)
        for (int64_t i = 0; i < size; ++i) h[o * row + i] *= spare[o * row + i] >= rate ? by : 0.0f;
}

// d ← d/(1 − p) where h is above 0, else 0: the derivative of ReLU and of dropout behind it.
void cut_off(const float* h, float* d, int64_t n, float by) {
    for (int64_t i = 0; i < n; ++i) d[i] = h[i] > 0.0f ? d[i] * by : 0.0f;
}

// The sum of each row (rows, ·) of whole vectors.
void row_sums(int64_t rows, int64_t length, const float* d, float* to) {
    for (int64_t o = 0; o < rows; ++o) {
        Vector sum = {};
        for (int64_t i = 0; i < length; i += LANES) sum += load(d + o * length + i);
        to[o] = total(sum);
    }
}

}  // namespace
