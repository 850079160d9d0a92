// A member's update by its optimizer.

#pragma once

#include "adam.h"
#include "layer.h"

// How some members move, those from first to last: by Adam where it is not null, or by steepest descent,
// without momentum where that is null.
struct Rule {
    int64_t first, last, members, steps;
    const float *lr, *momentum;  // (steps, members), (last - first)
    int64_t nesterov;
    const Adam* adam;
    int64_t made;         // updates by Adam before these
    const float* shrink;  // (steps, members), by what weights are multiplied before; null for nothing
};

namespace {

// A part of the optimizer's state; the group's first member's first, null where there is none.
struct State {
    float* at;
    int64_t member;

    float* of(int64_t own) const { return at ? at + own * member : nullptr; }
};

// θ ← θ − ηv, v ← μv + g, or along g + μv of the new v; without momentum along g.
void descend(int64_t n, const float* g, float* w, float* v, float lr, float momentum, bool nesterov) {
    if (!v)
        for (int64_t i = 0; i < n; ++i) w[i] -= lr * g[i];
    else
        for (int64_t i = 0; i < n; ++i) {
            v[i] = momentum * v[i] + g[i];
            w[i] -= lr * (nesterov ? momentum * v[i] + g[i] : v[i]);
        }
}

// θ ← sθ. It is never inlined: its product is rounded before what follows it.
__attribute__((noinline)) void shrink(int64_t n, float* w, float by) {
    for (int64_t i = 0; i < n; ++i) w[i] *= by;
}

// Moves n weights of member k, in the step s of the call.
void move(const Rule& rule, int64_t k, int64_t s, int64_t n, const float* g, float* w, State v, State m,
          Number decay, bool shrinks) {
    const int64_t own = k - rule.first;
    if (rule.shrink && shrinks) shrink(n, w, rule.shrink[s * rule.members + k]);
    const float* lr = rule.lr + s * rule.members + k;
    if (rule.adam)
        adam(n, g, w, m.of(own), v.of(own), {lr, 0, 0}, *rule.adam, decay.at ? decay.of(own) : decay, own,
             rule.made + s + 1);
    else
        descend(n, g, w, v.of(own), *lr, rule.momentum ? rule.momentum[own] : 0.0f, rule.nesterov);
}

}  // namespace
