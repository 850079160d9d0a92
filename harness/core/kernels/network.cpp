// The mean cross-entropy of members' networks, its gradient and their updates, a member at a time, so
// that its weights stay in the core's cache and no number depends on who else is in the cohort.

#include <algorithm>

#include "adam.h"
#include "cnn.h"
#include "cross_entropy.h"
#include "gpt.h"
#include "layer.h"
#include "mlp.h"
#include "update.h"

namespace {

float member(const Network& net, const Batch& batch, int64_t k, float* scratch) {
    if (net.transformer) return gpt(net, batch, k, scratch);
    return net.shapes ? cnn(net, batch, k, scratch) : mlp(net, batch, k, scratch);
}

// Adds the losses of a minibatch's samples or tokens, and how many of them a member gets right.
void add_score(const Network& net, const Batch& batch, int64_t k, float* scratch, double& loss,
               int64_t& right) {
    if (net.transformer) return gpt_score(net, batch, k, scratch, loss, right);
    float* outputs =
        net.shapes ? cnn_outputs(net, batch, k, scratch)
                   : mlp_outputs(net, batch, k, false, scratch + widest(net) * padded(batch.size), scratch);
    score(batch, k, net.layers[net.count - 1].outputs, outputs, loss, right);
}

}  // namespace

extern "C" {

// Numbers of scratch memory that a call needs.
int64_t network_scratch(Network net, int64_t batch) {
    if (net.transformer) return gpt_scratch(net, batch);
    return net.shapes ? cnn_scratch(net, batch) : mlp_scratch(net, batch);
}

// Writes each member's mean loss, and its gradient by every parameter.
void network_gradient(Network net, Batch batch, float* loss, float* scratch) {
    for (int64_t k = 0; k < batch.members; ++k) loss[k] = member(net, batch, k, scratch);
}

// Writes the sums of each member's losses over the batch's samples or their tokens, and how many of them it
// gets right; it goes through them some at a time, which a cache has room for.
void network_score(Network net, Batch batch, int64_t at_once, double* loss, int64_t* right,
                   float* scratch) {
    for (int64_t k = 0; k < batch.members; ++k) {
        loss[k] = 0.0;
        right[k] = 0;
        Batch now = batch;
        for (int64_t from = 0; from < batch.size; from += at_once) {
            now.size = std::min(at_once, batch.size - from);
            now.first = from;
            add_score(net, now, k, scratch, loss[k], right[k]);
        }
    }
}

// Trains a group's members, each through all steps before the next, so that its weights stay in the
// cache. Writes the losses (steps, members); a step takes batch.size of the samples that the index
// has, total in all, for each of which dropout has drawn as many numbers as it sees units. Layers'
// gradients are memory for one member.
void network_train(Network net, Batch batch, int64_t total, int64_t dropped, Rule rule,
                   float* loss, float* scratch) {
    for (int64_t k = rule.first; k < rule.last; ++k)
        for (int64_t s = 0; s < rule.steps; ++s) {
            Batch now = batch;
            if (now.index) now.index += s * batch.size;
            now.size = std::min(batch.size, total - s * batch.size);
            if (now.draws) now.draws += k * total * dropped + s * batch.size * dropped;
            loss[s * rule.members + k] = member(net, now, k, scratch);
            for (const Layer* at = net.layers; at < net.layers + net.count; ++at) {
                move(rule, k, s, at->inputs * at->outputs, at->d_w, at->w + k * at->w_member,
                     {at->v_w, at->v_w_member}, {at->m_w, at->m_w_member}, at->decay_w, at->shrinks_w);
                if (at->b)
                    move(rule, k, s, at->outputs, at->d_b, at->b + k * at->b_member,
                         {at->v_b, at->v_b_member}, {at->m_b, at->m_b_member}, at->decay_b, at->shrinks_b);
            }
        }
}

// Moves members' rows by Adam, those of columns that may be a part of a row; t counts this update.
void adam_update(int64_t members, int64_t columns, const float* g, int64_t g_member, float* w,
                 int64_t w_member, float* m, int64_t m_member, float* v, int64_t v_member, Number lr,
                 Adam group, int64_t t) {
    for (int64_t k = 0; k < members; ++k)
        adam(columns, g + k * g_member, w + k * w_member, m + k * m_member, v + k * v_member, lr.of(k),
             group, group.decay.at ? group.decay.of(k) : group.decay, k, t);
}

}  // extern "C"
