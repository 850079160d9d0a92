// A member's convolutions with ReLU, and the dense layer behind them.
//
// Activations are held as (channels, height, width, batch) with the zeros around them that the next
// convolution sees, so that a tap's numbers of one position are a row of whole vectors wherever it is.

#pragma once

#include <algorithm>
#include <vector>

#include "cross_entropy.h"
#include "layer.h"
#include "products.h"

namespace {

// Activations of one member; positions outside are its edges.
struct Plane {
    float* at;
    int64_t channels, height, width, pad_h, pad_w, row;

    int64_t line() const { return (width + 2 * pad_w) * row; }
    int64_t channel() const { return (height + 2 * pad_h) * line(); }
    int64_t size() const { return channels * channel(); }
    float* of(int64_t c, int64_t y, int64_t x) const {
        return at + c * channel() + (y + pad_h) * line() + (x + pad_w) * row;
    }
    void clear() const { std::fill(at, at + size(), 0.0f); }
};

// The input of convolution l; behind the last one, what the dense layer sees.
Plane plane_of(const Network& net, int64_t l, int64_t row, float* at) {
    if (l + 1 < net.count) {
        const Shape& s = net.shapes[l];
        return {at, s.channels, s.height, s.width, s.pad_h, s.pad_w, row};
    }
    const Shape& s = net.shapes[l - 1];
    return {at, net.layers[l - 1].outputs, s.out_h(), s.out_w(), 0, 0, row};
}

// Numbers of the largest of all activations, edges apart.
int64_t largest(const Network& net, int64_t row) {
    int64_t most = net.layers[net.count - 1].outputs;
    for (int64_t l = 0; l < net.count; ++l) {
        const Plane plane = plane_of(net, l, row, nullptr);
        most = std::max(most, plane.channels * plane.height * plane.width);
    }
    return most * row;
}

int64_t cnn_scratch(const Network& net, int64_t batch) {
    const int64_t row = padded(batch);
    int64_t total = 3 * largest(net, row);
    for (int64_t l = 0; l < net.count; ++l) total += plane_of(net, l, row, nullptr).size();
    const Plane first = plane_of(net, 0, row, nullptr);
    return total + batch * padded(first.channels * first.height * first.width);
}

// The inputs of the minibatch's samples, which lie as (samples, channels, height, width).
void gather(const Batch& batch, int64_t k, const Plane& to, float* by_sample) {
    const int64_t inputs = to.channels * to.height * to.width, ld = padded(inputs);
    const float* x = batch.x + k * batch.x_member;
    for (int64_t i = 0; i < batch.size; ++i)
        std::memcpy(by_sample + i * ld, x + batch.sample(k, i) * batch.x_sample, inputs * sizeof(float));
    to.clear();
    for (int64_t c = 0; c < to.channels; ++c)
        for (int64_t y = 0; y < to.height; ++y)
            transpose(by_sample + (c * to.height + y) * to.width, ld, batch.size, to.width, to.of(c, y, 0),
                      to.row);
}

// out[o, y, x] = max(0, b[o] + Σ W[o, c, t] · in[c, stride · (y, x) + t − pad])
void convolve(const Layer& layer, const Shape& s, int64_t k, const Plane& in, const Plane& out,
              std::vector<Term>& terms) {
    terms.clear();
    for (int64_t c = 0; c < s.channels; ++c)
        for (int64_t y = 0; y < s.kernel_h; ++y)
            for (int64_t x = 0; x < s.kernel_w; ++x)
                terms.push_back({int64_t(terms.size()), c * in.channel() + y * in.line() + x * in.row});
    out.clear();
    for (int64_t y = 0; y < out.height; ++y)
        for (int64_t x = 0; x < out.width; ++x) {
            gathered_product(layer.outputs, in.row, terms.data(), terms.size(), layer.w + k * layer.w_member,
                             layer.inputs, in.of(0, y * s.stride - s.pad_h, x * s.stride - s.pad_w),
                             out.of(0, y, x), out.channel());
            for (int64_t o = 0; o < layer.outputs; ++o) {
                const float bias = layer.b[k * layer.b_member + o];
                float* a = out.of(o, y, x);
                for (int64_t i = 0; i < in.row; ++i) a[i] = a[i] + bias <= 0.0f ? 0.0f : a[i] + bias;
            }
        }
}

// ∂L/∂W[o, c, t] = Σ over positions and samples of d[o, y, x] · in[c, stride · (y, x) + t − pad]
void write_gradients(const Layer& layer, const Shape& s, int64_t k, const Plane& in, const Plane& d,
                     std::vector<Term>& terms, std::vector<int64_t>& offsets) {
    terms.clear();
    for (int64_t y = 0; y < d.height; ++y)
        for (int64_t x = 0; x < d.width; ++x)
            terms.push_back({(y * d.width + x) * d.row, y * s.stride * in.line() + x * s.stride * in.row});
    offsets.clear();
    for (int64_t c = 0; c < s.channels; ++c)
        for (int64_t y = 0; y < s.kernel_h; ++y)
            for (int64_t x = 0; x < s.kernel_w; ++x)
                offsets.push_back(c * in.channel() + y * in.line() + x * in.row);
    dots(layer.outputs, offsets.data(), offsets.size(), terms.data(), terms.size(), d.row, d.at, d.channel(),
         in.at, layer.d_w + k * layer.d_w_member, layer.inputs);
    row_sums(layer.outputs, d.channel(), d.at, layer.d_b + k * layer.d_b_member);
}

// below[c, y, x] = Σ over the outputs o and taps t that saw this position of W[o, c, t] · d[o, ·]
void input_gradient(const Layer& layer, const Shape& s, int64_t k, const Plane& d, const Plane& below,
                    std::vector<Term>& terms) {
    for (int64_t y = 0; y < below.height; ++y)
        for (int64_t x = 0; x < below.width; ++x) {
            terms.clear();
            for (int64_t o = 0; o < layer.outputs; ++o)
                for (int64_t t = 0; t < s.taps(); ++t) {
                    const int64_t down = y + s.pad_h - t / s.kernel_w, right = x + s.pad_w - t % s.kernel_w;
                    if (down < 0 || right < 0 || down % s.stride || right % s.stride) continue;
                    const int64_t at_y = down / s.stride, at_x = right / s.stride;
                    if (at_y < d.height && at_x < d.width)
                        terms.push_back({o * layer.inputs + t, d.of(o, at_y, at_x) - d.at});
                }
            gathered_product(below.channels, d.row, terms.data(), terms.size(), layer.w + k * layer.w_member,
                             s.taps(), d.at, below.of(0, y, x), below.channel());
        }
}

// What a member's forward pass leaves, and memory of one layer's activations each.
struct Passed {
    std::vector<Plane> planes;  // each convolution's input, and what the last one puts out
    std::vector<Term> terms;
    float *features, *outputs;  // what the dense layer sees, and what it puts out; (units, batch)
    float *below;
};

// Runs one member forward.
void run_forward(const Network& net, const Batch& batch, int64_t k, float* scratch, Passed& passed) {
    std::vector<Plane>& planes = passed.planes;
    const int64_t row = padded(batch.size), convolutions = net.count - 1;
    planes.clear();
    for (int64_t l = 0; l <= convolutions; ++l) {
        planes.push_back(plane_of(net, l, row, scratch));
        scratch += planes.back().size();
    }
    passed.outputs = scratch;
    passed.below = scratch + largest(net, row);
    float* pool = passed.below + largest(net, row);
    gather(batch, k, planes[0], pool + largest(net, row));
    for (int64_t l = 0; l < convolutions; ++l)
        convolve(net.layers[l], net.shapes[l], k, planes[l], planes[l + 1], passed.terms);

    const Plane& last = planes[convolutions];
    const Layer &out = net.layers[convolutions], &hidden = net.layers[convolutions - 1];
    const int64_t positions = last.height * last.width;
    passed.features = last.at;
    if (net.pooled) {
        passed.features = pool;
        for (int64_t c = 0; c < last.channels; ++c)
            for (int64_t i = 0; i < row; i += LANES) {
                Vector sum = {};
                for (int64_t p = 0; p < positions; ++p) sum += load(last.of(c, 0, 0) + p * row + i);
                store(pool + c * row + i, sum / float(positions));
            }
    }
    drop(hidden, batch, k, out.inputs, 0, passed.features, passed.below);
    product(out.outputs, row, out.inputs, {out.w + k * out.w_member, out.inputs, 1}, passed.features, row,
            passed.outputs, row);
    activate(out, k, false, batch.size, passed.outputs);
}

// Its vectors keep their memory from call to call.
inline Passed& passed_here() {
    static thread_local Passed passed;
    return passed;
}

// One member's outputs, (units, batch).
float* cnn_outputs(const Network& net, const Batch& batch, int64_t k, float* scratch) {
    run_forward(net, batch, k, scratch, passed_here());
    return passed_here().outputs;
}

// One member's mean loss; its gradients are written.
float cnn(const Network& net, const Batch& batch, int64_t k, float* scratch) {
    static thread_local std::vector<int64_t> offsets;
    Passed& passed = passed_here();
    run_forward(net, batch, k, scratch, passed);
    std::vector<Term>& terms = passed.terms;
    const std::vector<Plane>& planes = passed.planes;
    const int64_t row = padded(batch.size), convolutions = net.count - 1;
    const Plane& last = planes[convolutions];
    const Layer& out = net.layers[convolutions];
    const int64_t positions = last.height * last.width;
    const float *w = out.w + k * out.w_member, *features = passed.features;
    float *d = passed.outputs, *below = passed.below;
    const float loss = cross_entropy(batch, k, out.outputs, d);

    offsets.clear();
    for (int64_t i = 0; i < out.inputs; ++i) offsets.push_back(i * row);
    const Term whole = {0, 0};
    dots(out.outputs, offsets.data(), out.inputs, &whole, 1, row, d, row, features,
         out.d_w + k * out.d_w_member, out.inputs);
    row_sums(out.outputs, row, d, out.d_b + k * out.d_b_member);
    product(out.inputs, row, out.outputs, {w, 1, out.inputs}, d, row, below, row);
    cut_off(features, below, out.inputs * row, batch.rate ? kept(batch, k) : 1.0f);
    std::swap(d, below);
    if (net.pooled) {
        // a feature is the mean over positions: each has its share of the gradient
        for (int64_t c = 0; c < last.channels; ++c)
            for (int64_t p = 0; p < positions; ++p)
                for (int64_t i = 0; i < row; ++i)
                    below[(c * positions + p) * row + i] = d[c * row + i] / float(positions);
        std::swap(d, below);
    }
    for (int64_t l = convolutions - 1; l >= 0; --l) {
        const Plane& h = planes[l + 1];
        const Plane own = {d, h.channels, h.height, h.width, 0, 0, row};
        for (int64_t c = 0; c < h.channels; ++c)
            for (int64_t y = 0; y < h.height; ++y) cut_off(h.of(c, y, 0), own.of(c, y, 0), h.width * row, 1.0f);
        write_gradients(net.layers[l], net.shapes[l], k, planes[l], own, terms, offsets);
        if (l == 0) break;
        const Plane under = {below, planes[l].channels, planes[l].height, planes[l].width, 0, 0, row};
        input_gradient(net.layers[l], net.shapes[l], k, own, under, terms);
        std::swap(d, below);
    }
    return loss;
}

}  // namespace
