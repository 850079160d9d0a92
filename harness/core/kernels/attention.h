// Causal attention of one sample's tokens, head by head.
//
// Shares of attention are held as (keys, queries): vectors run along the queries, and a softmax goes down
// them. A query sees the keys up to its own place; what no query of a vector sees is left out.

#pragma once

#include <algorithm>
#include <cmath>

#include "cross_entropy.h"
#include "products.h"

namespace {

struct Heads {
    int64_t places, count, features;  // tokens of a sample, heads, and features of each
    float scale;                      // by which q·k is multiplied

    int64_t across() const { return padded(places); }  // from a key's shares to the next one's
    int64_t shares() const { return count * places * across(); }
    int64_t width() const { return count * features; }
};

// Which of the queries from i on see key j.
inline Whole seen(int64_t i, int64_t j) {
    return LANE >= int32_t(j - i);
}

// The shares of the queries from i on, in place of q·k.
void softmax_down(const Heads& heads, int64_t i, float* p) {
    const int64_t across = heads.across(), keys = std::min(i + LANES, heads.places);
    Vector most = load(p + i) * heads.scale, sum = {};
    for (int64_t j = 1; j < keys; ++j) {
        const Vector a = load(p + j * across + i) * heads.scale;
        most = (a > most) & seen(i, j) ? a : most;
    }
    for (int64_t j = 0; j < keys; ++j) {
        const Vector e = exponential(load(p + j * across + i) * heads.scale - most);
        const Vector kept = seen(i, j) ? e : Vector{};
        sum += kept;
        store(p + j * across + i, kept);
    }
    const Vector by = 1.0f / sum;
    for (int64_t j = 0; j < keys; ++j) store(p + j * across + i, load(p + j * across + i) * by);
}

// c (keys, queries) = a · turned for each key and the queries that see it: a are rows of the heads' features.
void for_seen(const Heads& heads, const float* a, int64_t row, const float* turned, float* c) {
    const int64_t across = heads.across();
    for (int64_t j = 0; j < heads.places; j += LANES)
        product(std::min(LANES, heads.places - j), across - j, heads.features, {a + j * row, row, 1},
                turned + j, across, c + j * across + j, across);
}

// c (queries, features) = Σ over the keys that a query sees of p · their rows b.
void by_query(const Heads& heads, const float* p, const float* b, int64_t row, float* c, int64_t row_c) {
    const int64_t across = heads.across();
    for (int64_t i = 0; i < heads.places; i += LANES)
        product(std::min(LANES, heads.places - i), heads.features, std::min(i + LANES, heads.places),
                {p + i, 1, across}, b, row, c + i * row_c, row_c);
}

// c (keys, features) = Σ over the queries that see a key of p · their rows b.
void by_key(const Heads& heads, const float* p, const float* b, int64_t row, float* c, int64_t row_c) {
    const int64_t across = heads.across();
    for (int64_t j = 0; j < heads.places; j += LANES)
        product(std::min(LANES, heads.places - j), heads.features, heads.places - j,
                {p + j * across + j, across, 1}, b + j * row, row, c + j * row_c, row_c);
}

// mixed (tokens, heads' features) = Σ over keys of softmax(scale · q·k) v, of qkv (tokens, 3 · width). The
// shares are left; turned is memory of (features, queries).
void attend(const Heads& heads, const float* qkv, int64_t row, float* shares, float* mixed, int64_t row_mixed,
            float* turned) {
    const int64_t across = heads.across(), width = heads.width();
    for (int64_t head = 0; head < heads.count; ++head) {
        const float* q = qkv + head * heads.features;
        float* p = shares + head * heads.places * across;
        transpose(q, row, heads.places, heads.features, turned, across);
        for_seen(heads, q + width, row, turned, p);
        for (int64_t i = 0; i < heads.places; i += LANES) softmax_down(heads, i, p);
        by_query(heads, p, q + 2 * width, row, mixed + head * heads.features, row_mixed);
    }
}

// Writes the gradient by qkv from that by mixed; d_shares is memory of one head's shares.
void attend_backward(const Heads& heads, const float* qkv, int64_t row, const float* shares, const float* d,
                     int64_t row_d, float* d_qkv, float* turned, float* d_shares) {
    const int64_t across = heads.across(), width = heads.width();
    for (int64_t head = 0; head < heads.count; ++head) {
        const int64_t at = head * heads.features;
        const float *q = qkv + at, *p = shares + head * heads.places * across;
        transpose(d + at, row_d, heads.places, heads.features, turned, across);
        for_seen(heads, q + 2 * width, row, turned, d_shares);
        // of softmax: p ⊙ (dp − Σ over keys of p·dp)
        for (int64_t i = 0; i < heads.places; i += LANES) {
            const int64_t keys = std::min(i + LANES, heads.places);
            Vector inner = {};
            for (int64_t j = 0; j < keys; ++j)
                inner += load(p + j * across + i) * load(d_shares + j * across + i);
            for (int64_t j = 0; j < keys; ++j) {
                float* own = d_shares + j * across + i;
                store(own, load(p + j * across + i) * (load(own) - inner) * heads.scale);
            }
        }
        by_query(heads, d_shares, q + width, row, d_qkv + at, row);
        by_key(heads, d_shares, q, row, d_qkv + at + width, row);
        by_key(heads, p, d + at, row_d, d_qkv + at + 2 * width, row);
    }
}

// Turns pairs of features of all heads' queries and keys by their places' angles, or back (Su et al. 2021).
void rotate(const Heads& heads, const float* cos, const float* sin, bool back, float* qkv, int64_t row) {
    const int64_t pairs = heads.features / 2;
    for (int64_t t = 0; t < heads.places; ++t)
        for (int64_t head = 0; head < 2 * heads.count; ++head) {
            float* at = qkv + t * row + head * heads.features;
            for (int64_t i = 0; i < pairs; ++i) {
                const float c = cos[t * pairs + i], s = back ? -sin[t * pairs + i] : sin[t * pairs + i];
                const float even = at[2 * i], odd = at[2 * i + 1];
                at[2 * i] = even * c - odd * s;
                at[2 * i + 1] = even * s + odd * c;
            }
        }
}

}  // namespace
