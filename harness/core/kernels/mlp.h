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

// Units of the widest layer.
int64_t widest(const Network& net) {
    int64_t most = 0;
    for (int64_t l = 0; l < net.count; ++l)
        most = std::max({most, net.layers[l].inputs, net.layers[l].outputs});
    return most;
}

// Numbers of scratch memory that a pass needs.
int64_t mlp_scratch(const Network& net, int64_t batch) {
    int64_t total = 3 * widest(net) * padded(batch);
    for (int64_t l = 0; l < net.count; ++l) {
        const int64_t inputs = net.layers[l].inputs;
        total += inputs * padded(batch) + batch * padded(inputs);
    }
    return total;
}

// Numbers between a layer's inputs and its outputs in scratch memory.
inline int64_t apart(const Layer& layer, int64_t size) {
    return layer.inputs * padded(size) + size * padded(layer.inputs);
}

// Returns one member's outputs, (units, batch). Before them lie all layers' inputs, as (units, batch)
// and then, if their gradients are wanted, as (batch, units); h is where the first layer's are to lie.
float* mlp_outputs(const Network& net, const Batch& batch, int64_t k, bool gradients, float* h,
                   float* spare) {
    const Layer* layers = net.layers;
    const int64_t size = batch.size, row = padded(size);
    const float* x = batch.x + k * batch.x_member;
    // the first layer's inputs come as (batch, units)
    const int64_t inputs = layers[0].inputs;
    float* by_sample = h + inputs * row;
    for (int64_t i = 0; i < size; ++i)
        std::memcpy(by_sample + i * padded(inputs), x + batch.sample(k, i) * batch.x_sample,
                    inputs * sizeof(float));
    std::fill(h, h + inputs * row, 0.0f);
    transpose(by_sample, padded(inputs), size, inputs, h, row);
    int64_t dropped = 0;  // units that dropout has seen
    for (int64_t l = 0; l < net.count; ++l) {
        const Layer& layer = layers[l];
        const bool hidden = l + 1 < net.count;
        float* next = h + apart(layer, size);
        product(layer.outputs, row, layer.inputs,
                {layer.w + k * layer.w_member, layer.inputs, 1}, h, row, next, row);
        activate(layer, k, net.rectified && hidden, size, next);
        if (hidden) {
            drop(layer, batch, k, layer.outputs, dropped, next, spare);
            dropped += layer.outputs;
        }
        if (hidden && gradients)
            transpose(next, row, layer.outputs, size, next + layer.outputs * row,
                      padded(layer.outputs));
        h = next;
    }
    return h;
}

// One member's mean loss; its gradients are written.
float mlp(const Network& net, const Batch& batch, int64_t k, float* scratch) {
    const Layer* layers = net.layers;
    const int64_t count = net.count;
    const int64_t size = batch.size, row = padded(size), most = widest(net) * row;
    float* spare = scratch;
    float* h = mlp_outputs(net, batch, k, true, scratch + most, spare);
    float *d = h, *below = h + most;
    const float loss = cross_entropy(batch, k, layers[count - 1].outputs, d);
    int64_t dropped = 0;  // units that dropout has seen in the layers below
    for (int64_t l = 0; l + 1 < count; ++l) dropped += layers[l].outputs;
    for (int64_t l = count - 1; l >= 0; --l) {
        const Layer& layer = layers[l];
        h -= apart(layer, size);
        product(layer.outputs, layer.inputs, size, {d, row, 1}, h + layer.inputs * row,
                padded(layer.inputs), layer.d_w + k * layer.d_w_member, layer.inputs);
        if (layer.b) row_sums(layer.outputs, row, d, layer.d_b + k * layer.d_b_member);
        if (l == 0) break;
        product(layer.inputs, row, layer.outputs,
                {layer.w + k * layer.w_member, 1, layer.inputs}, d, row, below, row);
        dropped -= layer.inputs;
        // h is the layer below's output
        if (net.rectified) cut_off(h, below, layer.inputs * row, batch.rate ? kept(batch, k) : 1.0f);
        else drop(layers[l - 1], batch, k, layer.inputs, dropped, below, spare);
        std::swap(d, below);
    }
    return loss;
}

}  // namespace
