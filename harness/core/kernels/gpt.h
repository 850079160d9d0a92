// A member's decoder-only transformer. Its layers: embeddings of the tokens, and of their places where those
// are learned; of each block norm 1, qkv, mix, norm 2, up and down; the last norm; the output, if it is not
// the embeddings. Of a norm w are the scales and b the shifts.
//
// Activations are held as (tokens, features) in rows of whole vectors, sample after sample. Weights are
// copied into panels before each product, which costs as much as a token or two.

#pragma once

#include <algorithm>
#include <vector>

#include "attention.h"
#include "gelu.h"
#include "layer.h"
#include "layer_norm.h"
#include "packed.h"
#include "token_loss.h"

namespace {

constexpr int64_t OF_BLOCK = 6;  // layers of a block

// Scratch memory that is handed out from its beginning on.
struct Memory {
    float* at;
    int64_t used = 0;

    float* take(int64_t numbers) {
        used += padded(numbers);
        return at ? at + used - padded(numbers) : nullptr;
    }
};

void scale(float* a, int64_t n, float by) {
    for (int64_t i = 0; i < n; ++i) a[i] *= by;
}

// a (tokens, whole vectors of features) ← a + b for each token.
void add_bias(int64_t tokens, int64_t features, const float* b, float* a) {
    for (int64_t t = 0; t < tokens; ++t)
        for (int64_t i = 0; i < features; i += LANES, a += LANES)
            store(a, load(a) + load(b + i, features - i));
}

// The sum of each column (tokens, features).
void column_sums(int64_t tokens, int64_t features, const float* d, int64_t row, float* to) {
    for (int64_t i = 0; i < features; i += LANES) {
        Vector sum = {};
        for (int64_t t = 0; t < tokens; ++t) sum += load(d + t * row + i);
        store(to + i, sum, features - i);
    }
}

// What a block's gradient needs of the forward pass, (tokens, ·) each.
struct BlockPass {
    const Layer *norm1, *qkv, *mix, *norm2, *up, *down;
    Normed normed1, normed2;
    float *projected, *shares, *mixed, *hidden, *slope;
};

// One member's pass over a minibatch.
struct GptPass {
    const Network& net;
    const Batch& batch;
    int64_t k;
    const Transformer& shape;
    const Layer *embedded, *placed, *norm, *out;  // placed: null where positions are rotary
    int64_t tokens, features, row, row_3, row_4, row_out;
    Heads heads;
    Memory memory;
    // the stream of tokens, and what is added to it; in the backward pass their gradients
    float *x, *added;
    float *wide, *panels, *turned, *d_shares, *logits;
    Normed normed;

    GptPass(const Network& net, const Batch& batch, int64_t k, float* scratch)
        : net(net), batch(batch), k(k), shape(*net.transformer), memory{scratch} {
        embedded = net.layers;
        placed = shape.cos ? nullptr : net.layers + 1;
        norm = first_block() + shape.blocks * OF_BLOCK;
        out = shape.tied ? embedded : norm + 1;
        tokens = batch.size * shape.places, features = norm->outputs;
        row = padded(features), row_3 = padded(3 * features), row_4 = padded(4 * features);
        row_out = padded(shape.outputs);
        heads = {shape.places, shape.heads, features / shape.heads, shape.scores};
        x = memory.take(tokens * row);
        added = memory.take(tokens * row);
        wide = memory.take(tokens * row_4);
        panels = memory.take(row * std::max(row_4, row_out));
        turned = memory.take(heads.features * heads.across());
        d_shares = memory.take(heads.places * heads.across());
        logits = memory.take(tokens * row_out);
        normed = take_normed();
    }

    const Layer* first_block() const { return net.layers + (placed ? 2 : 1); }

    Normed take_normed() {
        Normed taken;
        taken.normal = memory.take(tokens * row);
        taken.out = memory.take(tokens * row);
        taken.rate = memory.take(tokens);
        return taken;
    }

    BlockPass take_block(int64_t number) {
        const Layer* of = first_block() + number * OF_BLOCK;
        BlockPass taken = {of, of + 1, of + 2, of + 3, of + 4, of + 5};
        taken.normed1 = take_normed();
        taken.normed2 = take_normed();
        taken.projected = memory.take(tokens * row_3);
        taken.shares = memory.take(batch.size * heads.shares());
        taken.mixed = memory.take(tokens * row);
        taken.hidden = memory.take(tokens * row_4);
        taken.slope = memory.take(tokens * row_4);
        return taken;
    }

    const float* weights(const Layer& layer) const { return layer.w + k * layer.w_member; }
    float* d_weights(const Layer& layer) const { return layer.d_w + k * layer.d_w_member; }
    const float* bias(const Layer& layer) const { return layer.b + k * layer.b_member; }

    // to = W · in of each token
    void multiply(const Layer& layer, int64_t outputs, const float* in, int64_t row_in, float* to,
                  int64_t row_to) {
        pack_transposed(layer.inputs, outputs, weights(layer), layer.inputs, panels);
        packed_product(tokens, outputs, layer.inputs, {in, row_in, 1}, panels, to, row_to);
    }

    // Writes the gradient by W, and that by each token's inputs.
    void multiply_backward(const Layer& layer, int64_t outputs, const float* d, int64_t row_d, const float* in,
                           int64_t row_in, float* below) {
        const int64_t inputs = layer.inputs;
        product(outputs, inputs, tokens, {d, 1, row_d}, in, row_in, d_weights(layer), inputs);
        pack(outputs, inputs, weights(layer), inputs, panels);
        packed_product(tokens, inputs, outputs, {d, row_d, 1}, panels, below, row_in);
    }

    // The same of a layer with biases.
    void dense_backward(const Layer& layer, const float* d, int64_t row_d, const float* in, int64_t row_in,
                        float* below) {
        column_sums(tokens, layer.outputs, d, row_d, layer.d_b + k * layer.d_b_member);
        multiply_backward(layer, layer.outputs, d, row_d, in, row_in, below);
    }

    // Drops of h (tokens, features) behind a layer, if there is dropout; `place` counts where it drops.
    void drop(const Layer& layer, int64_t place, float* h) const {
        if (!batch.rate) return;
        const int64_t drawn = tokens * features;
        const float* draws = batch.draws ? batch.draws + place * drawn : layer.draws + k * drawn;
        const float rate = batch.rate[k], by = kept(batch, k);
        for (int64_t t = 0; t < tokens; ++t)
            for (int64_t f = 0; f < features; ++f)
                h[t * row + f] *= draws[t * features + f] >= rate ? by : 0.0f;
    }

    void embed() {
        const float *table = weights(*embedded), *places = placed ? weights(*placed) : nullptr;
        for (int64_t t = 0; t < tokens; ++t) {
            const int64_t place = t % shape.places;
            const float* own = table + batch.tokens(k, t / shape.places)[place] * features;
            for (int64_t i = 0; i < features; i += LANES) {
                Vector a = load(own + i, features - i);
                if (places) a += load(places + place * features + i, features - i);
                store(x + t * row + i, a);
            }
        }
        drop(*embedded, 0, x);
    }

    // x ← x + what a block's half has put out, W · in + b
    void add(const Layer& layer, int64_t place, const float* in, int64_t row_in) {
        multiply(layer, features, in, row_in, added, row);
        add_bias(tokens, features, bias(layer), added);
        drop(layer, place, added);
        for (int64_t i = 0; i < tokens * row; ++i) x[i] += added[i];
    }

    void forward(const BlockPass& of, int64_t number) {
        normalize(*of.norm1, k, tokens, x, of.normed1);
        multiply(*of.qkv, 3 * features, of.normed1.out, row, of.projected, row_3);
        add_bias(tokens, 3 * features, bias(*of.qkv), of.projected);
        for (int64_t i = 0; i < batch.size; ++i) {
            float* own = of.projected + i * shape.places * row_3;
            if (shape.cos) rotate(heads, shape.cos, shape.sin, false, own, row_3);
            attend(heads, own, row_3, of.shares + i * heads.shares(), of.mixed + i * shape.places * row, row,
                   turned);
        }
        add(*of.mix, 1 + 2 * number, of.mixed, row);
        normalize(*of.norm2, k, tokens, x, of.normed2);
        multiply(*of.up, 4 * features, of.normed2.out, row, of.hidden, row_4);
        gelu(tokens, 4 * features, bias(*of.up), of.hidden, of.slope);
        add(*of.down, 2 + 2 * number, of.hidden, row_4);
    }

    void put_out() {
        normalize(*norm, k, tokens, x, normed);
        multiply(*out, shape.outputs, normed.out, row, logits, row_out);
        if (shape.logits != 1.0f) scale(logits, tokens * row_out, shape.logits);
    }

    // The gradient by what a block's half has put out, from that by x.
    const float* d_added(const Layer& layer, int64_t place) {
        if (!batch.rate) return x;
        std::copy(x, x + tokens * row, added);
        drop(layer, place, added);
        return added;
    }

    void backward(const BlockPass& of, int64_t number) {
        dense_backward(*of.down, d_added(*of.down, 2 + 2 * number), row, of.hidden, row_4, wide);
        for (int64_t i = 0; i < tokens * row_4; ++i) wide[i] *= of.slope[i];
        dense_backward(*of.up, wide, row_4, of.normed2.out, row, added);
        normalize_backward(*of.norm2, k, tokens, added, of.normed2, x);
        float* d_mixed = of.hidden;  // whose numbers are no longer needed
        dense_backward(*of.mix, d_added(*of.mix, 1 + 2 * number), row, of.mixed, row, d_mixed);
        for (int64_t i = 0; i < batch.size; ++i) {
            const int64_t from = i * shape.places;
            float* d_own = wide + from * row_3;
            attend_backward(heads, of.projected + from * row_3, row_3, of.shares + i * heads.shares(),
                            d_mixed + from * row, row, d_own, turned, d_shares);
            if (shape.cos) rotate(heads, shape.cos, shape.sin, true, d_own, row_3);
        }
        dense_backward(*of.qkv, wide, row_3, of.normed1.out, row, added);
        normalize_backward(*of.norm1, k, tokens, added, of.normed1, x);
    }

    // The gradient by the logits is in their place; leaves that by x.
    void put_out_backward() {
        float* table = d_weights(*embedded);
        std::fill(table, table + embedded->outputs * features, 0.0f);
        if (shape.logits != 1.0f) scale(logits, tokens * row_out, shape.logits);
        multiply_backward(*out, shape.outputs, logits, row_out, normed.out, row, added);
        std::fill(x, x + tokens * row, 0.0f);
        normalize_backward(*norm, k, tokens, added, normed, x);
    }

    void embed_backward() {
        drop(*embedded, 0, x);
        float *table = d_weights(*embedded), *places = placed ? d_weights(*placed) : nullptr;
        if (places) std::fill(places, places + placed->outputs * features, 0.0f);
        for (int64_t t = 0; t < tokens; ++t) {
            const int64_t place = t % shape.places;
            add_row(x + t * row, table + batch.tokens(k, t / shape.places)[place] * features);
            if (places) add_row(x + t * row, places + place * features);
        }
    }

    void add_row(const float* from, float* to) const {
        for (int64_t i = 0; i < features; ++i) to[i] += from[i];
    }
};

// Numbers of scratch memory that a pass needs, and a vector that products may read behind its end.
int64_t gpt_scratch(const Network& net, int64_t size) {
    Batch batch = {};
    batch.size = size;
    GptPass pass(net, batch, 0, nullptr);
    for (int64_t i = 0; i < pass.shape.blocks; ++i) pass.take_block(i);
    return pass.memory.used + LANES;
}

// Adds one member's losses of tokens, and how many it gets right.
void gpt_score(const Network& net, const Batch& batch, int64_t k, float* scratch, double& loss,
               int64_t& right) {
    GptPass pass(net, batch, k, scratch);
    pass.embed();
    const int64_t begin = pass.memory.used;
    for (int64_t i = 0; i < pass.shape.blocks; ++i) {
        pass.memory.used = begin;  // each block in the place of the last one
        pass.forward(pass.take_block(i), i);
    }
    pass.put_out();
    score_tokens(batch, k, pass.shape.places, pass.shape.outputs, pass.logits, pass.row_out, loss, right);
}

// One member's mean loss; its gradients are written.
float gpt(const Network& net, const Batch& batch, int64_t k, float* scratch) {
    static thread_local std::vector<BlockPass> blocks;  // keeps its memory from call to call
    GptPass pass(net, batch, k, scratch);
    blocks.clear();
    pass.embed();
    for (int64_t i = 0; i < pass.shape.blocks; ++i) {
        blocks.push_back(pass.take_block(i));
        pass.forward(blocks[i], i);
    }
    pass.put_out();
    const float loss = token_loss(batch, k, pass.shape.places, pass.shape.outputs, pass.logits, pass.row_out);
    pass.put_out_backward();
    for (int64_t i = pass.shape.blocks - 1; i >= 0; --i) pass.backward(blocks[i], i);
    pass.embed_backward();
    return loss;
}

}  // namespace
