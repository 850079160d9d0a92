// The mean cross-entropy of members' MLPs and its gradient, a member at a time, so that its weights
// stay in the core's cache and no number depends on who else is in the cohort.
//
// Hidden layers are held as (units, batch): a product's vectors run along the batch, and a weight
// is one number for all of them. The gradient by a layer's weights runs along its inputs instead,
// for which they are there as (batch, units) too. Rows are padded with zeros to whole vectors.

#include <algorithm>
#include <cmath>

#include "adam.h"
#include "vectors.h"

// One layer of all members: where its parameters and their gradients lie, in numbers apart.
struct Layer {
    int64_t inputs, outputs;
    float *w, *b;  // b: null without a bias
    float *d_w, *d_b;
    int64_t w_member, b_member, d_w_member, d_b_member;
    const float* mask;  // (members, batch, outputs) that dropout multiplies by; null for nothing
    // velocities of descent, or Adam's means of squares, the first group member's first; null without
    float *v_w, *v_b;
    int64_t v_w_member, v_b_member;
    float *m_w, *m_b;  // Adam's means
    int64_t m_w_member, m_b_member;
    Number decay_w, decay_b;  // AdamW's; null for none
    int64_t shrinks_w, shrinks_b;  // whether they shrink before an update
};

struct Batch {
    int64_t members, size;
    const float *x, *y;
    int64_t x_member, x_sample, y_member, y_sample, y_output;
    const int64_t* index;  // (members, ·), which samples they are; null for the first ones
    int64_t index_member;

    int64_t sample(int64_t k, int64_t i) const { return index ? index[k * index_member + i] : i; }
};

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

constexpr int64_t WIDE = 2, TALL = 8;  // a tile is TALL × WIDE

// A matrix that a product takes number by number.
struct Numbers {
    const float* at;
    int64_t row, column;
};

// c (rows, columns) = a (rows, depth) · b (depth, columns) for one tile; b's rows are whole vectors.
template <int R, int V>
void tile(Numbers a, const float* b, int64_t ld_b, int64_t depth, float* c, int64_t ld_c,
          int64_t columns) {
    Vector sum[R][V] = {};
    for (int64_t k = 0; k < depth; ++k) {
        Vector row[V];
        for (int v = 0; v < V; ++v) row[v] = load(b + k * ld_b + v * LANES);
        for (int r = 0; r < R; ++r) {
            const float number = a.at[r * a.row + k * a.column];
            for (int v = 0; v < V; ++v) sum[r][v] += number * row[v];
        }
    }
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) store(c + r * ld_c + v * LANES, sum[r][v], columns - v * LANES);
}

// All tiles of some rows.
template <int R>
void strip(Numbers a, const float* b, int64_t ld_b, int64_t depth, float* c, int64_t ld_c,
           int64_t columns) {
    for (int64_t n = 0; n < columns; n += WIDE * LANES)
        if (columns - n > LANES) tile<R, WIDE>(a, b + n, ld_b, depth, c + n, ld_c, columns - n);
        else tile<R, 1>(a, b + n, ld_b, depth, c + n, ld_c, columns - n);
}

// c (rows, columns) = a (rows, depth) · b (depth, columns).
void product(int64_t rows, int64_t columns, int64_t depth, Numbers a, const float* b, int64_t ld_b,
             float* c, int64_t ld_c) {
    static constexpr decltype(&strip<1>) some[] = {strip<1>, strip<2>, strip<3>, strip<4>,
                                                   strip<5>, strip<6>, strip<7>, strip<TALL>};
    for (int64_t m = 0; m < rows; m += TALL)
        some[std::min(TALL, rows - m) - 1]({a.at + m * a.row, a.row, a.column}, b, ld_b, depth,
                                           c + m * ld_c, ld_c, columns);
}

// to (columns, ·) = from (rows, columns) transposed, in blocks of LANES² numbers: each of four rounds
// swaps the off-diagonal quarters of ever smaller squares.
void transpose(const float* from, int64_t ld_from, int64_t rows, int64_t columns, float* to,
               int64_t ld_to) {
    const Whole lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int64_t m = 0; m < rows; m += LANES)
        for (int64_t n = 0; n < columns; n += LANES) {
            Vector block[LANES] = {};
            const int64_t down = std::min(LANES, rows - m), across = std::min(LANES, columns - n);
            for (int64_t i = 0; i < down; ++i) block[i] = load(from + (m + i) * ld_from + n, across);
#pragma GCC unroll 4
            for (int s = LANES / 2; s; s /= 2) {
                const Whole low = (lane & s) ? lane - s + LANES : lane;
                const Whole high = (lane & s) ? lane + LANES : lane + s;
#pragma GCC unroll 16
                for (int i = 0; i < LANES; ++i) {
                    if (i & s) continue;
                    const Vector a = block[i], b = block[i + s];
                    block[i] = __builtin_shuffle(a, b, low);
                    block[i + s] = __builtin_shuffle(a, b, high);
                }
            }
            for (int64_t i = 0; i < across; ++i) store(to + (n + i) * ld_to + m, block[i], down);
        }
}

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

// Multiplies by a layer's mask.
void drop(const Layer& layer, int64_t k, int64_t size, float* h) {
    const float* mask = layer.mask + k * size * layer.outputs;
    for (int64_t i = 0; i < size; ++i)
        for (int64_t o = 0; o < layer.outputs; ++o)
            h[o * padded(size) + i] *= mask[i * layer.outputs + o];
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

// One member's mean loss; its gradients are written.
float member(const Layer* layers, int64_t count, bool rectified, const Batch& batch, int64_t k,
             float* scratch) {
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
            if (layer.mask) drop(layer, k, size, next);
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
        for (int64_t o = 0; layer.b && o < layer.outputs; ++o) {
            Vector sum = {};
            for (int64_t i = 0; i < row; i += LANES) sum += load(d + o * row + i);
            float total = 0.0f;
            for (int64_t i = 0; i < LANES; ++i) total += sum[i];
            layer.d_b[k * layer.d_b_member + o] = total;
        }
        if (l == 0) break;
        product(layer.inputs, row, layer.outputs,
                {layer.w + k * layer.w_member, 1, layer.inputs}, d, row, below, row);
        if (layers[l - 1].mask) drop(layers[l - 1], k, size, below);
        // h is the layer below's output, 0 where it was cut off
        for (int64_t i = 0; rectified && i < layer.inputs * row; ++i)
            below[i] = h[i] > 0.0f ? below[i] : 0.0f;
        std::swap(d, below);
    }
    return loss;
}

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

extern "C" {

// Numbers of scratch memory that a call needs.
int64_t mlp_scratch(const Layer* layers, int64_t count, int64_t batch) {
    int64_t total = 0, widest = 0;
    for (int64_t l = 0; l < count; ++l) {
        total += layers[l].inputs * padded(batch) + batch * padded(layers[l].inputs);
        widest = std::max({widest, layers[l].inputs, layers[l].outputs});
    }
    return total + 2 * widest * padded(batch);
}

// Writes each member's mean loss, and its gradient by every parameter. Hidden layers are rectified,
// or linear.
void mlp_gradient(const Layer* layers, int64_t count, int32_t rectified, Batch batch, float* loss,
                  float* scratch) {
    for (int64_t k = 0; k < batch.members; ++k)
        loss[k] = member(layers, count, rectified, batch, k, scratch);
}

// Trains a group's members, each through all steps before the next, so that its weights stay in the
// cache. Writes the losses (steps, members); a step takes batch.size of the samples that the index
// has, total in all. Layers' gradients are memory for one member.
void mlp_train(const Layer* layers, int64_t count, int32_t rectified, Batch batch, int64_t total, Rule rule,
               float* loss, float* scratch) {
    for (int64_t k = rule.first; k < rule.last; ++k)
        for (int64_t s = 0; s < rule.steps; ++s) {
            Batch now = batch;
            if (now.index) now.index += s * batch.size;
            now.size = std::min(batch.size, total - s * batch.size);
            loss[s * rule.members + k] = member(layers, count, rectified, now, k, scratch);
            for (const Layer* at = layers; at < layers + count; ++at) {
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
