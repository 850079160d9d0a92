// A member's MLP.
//
// Hidden layers are held as (units, batch): a product's vectors run along the batch, and a weight
// is one number for all of them. The gradient by a layer's weights runs along its inputs instead,
// for which they are there as (batch, units) too. Rows are padded with zeros to whole vectors.

#pragma once

#include <algorithm>

#include "cross_entropy.h"
#include "layer.h"
#include "products.h"

namespace {

// Numbers of scratch memory that a pass needs.
int64_t mlp_scratch(const Network& net, int64_t batch) {
    int64_t total = 0, widest = 0;
    for (int64_t l = 0; l < net.count; ++l) {
        const Layer& layer = net.layers[l];
        total += layer.inputs * padded(batch) + batch * padded(layer.inputs);
        widest = std::max({widest, layer.inputs, layer.outputs});
    }
    return total + 2 * widest * padded(batch);
}

// One member's mean loss; its gradients are written.
float mlp(const Network& net, const Batch& batch, int64_t k, float* scratch) {
    const Layer* layers = net.layers;
    const int64_t count = net.count;
    const bool rectified = net.rectified;
    const int64_t size = batch.size, row = padded(size);
    float* h = scratch;  // each layer's inputs, (units, batch) and then (batch, units)
    const float* x = batch.x + k * batch.x_member;
    // the first layer's inputs come as (batch, units)
    const int64_t inputs = layers[0].inputs;
    float* by_sample = h + inputs * row;
    for (int64_t i = 0; i < size; ++i)
        std::memcpy(by_sample + i * padded(inputs), x + batch.sample(k, i) * batch.x_sample,
                    inputs * sizeof(float));
    std::fill(h, h + inputs * row, 0.0f);
    transpose(by_sample, padded(inputs), size, inputs, h, row);
    for (int64_t l = 0; l < count; ++l) {
        const Layer& layer = layers[l];
        float* next = h + layer.inputs * row + size * padded(layer.inputs);
        product(layer.outputs, row, layer.inputs,
                {layer.w + k * layer.w_member, layer.inputs, 1}, h, row, next, row);
        activate(layer, k, rectified && l + 1 < count, size, next);
        if (l + 1 < count) {
            if (layer.mask) drop(layer, k, layer.outputs, size, next);
            transpose(next, row, layer.outputs, size, next + layer.outputs * row,
                      padded(layer.outputs));
        }
        h = next;
    }
    int64_t widest = 0;
    for (int64_t l = 0; l < count; ++l)
        widest = std::max({widest, layers[l].inputs, layers[l].outputs});
    float *d = h, *below = h + widest * row;
    const float loss = cross_entropy(batch, k, layers[count - 1].outputs, d);
    for (int64_t l = count - 1; l >= 0; --l) {
        const Layer& layer = layers[l];
        h -= layer.inputs * row + size * padded(layer.inputs);
        product(layer.outputs, layer.inputs, size, {d, row, 1}, h + layer.inputs * row,
                padded(layer.inputs), layer.d_w + k * layer.d_w_member, layer.inputs);
        if (layer.b) row_sums(layer.outputs, row, d, layer.d_b + k * layer.d_b_member);
        if (l == 0) break;
        product(layer.inputs, row, layer.outputs,
                {layer.w + k * layer.w_member, 1, layer.inputs}, d, row, below, row);
        if (layers[l - 1].mask) drop(layers[l - 1], k, layer.inputs, size, below);
        // h is the layer below's output, 0 where it was cut off
        for (int64_t i = 0; rectified && i < layer.inputs * row; ++i)
            below[i] = h[i] > 0.0f ? below[i] : 0.0f;
        std::swap(d, below);
    }
    return loss;
}

}  // namespace
