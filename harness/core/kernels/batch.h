// Members' minibatches, and what dropout draws for them.

#pragma once

#include <cstdint>

struct Batch {
    int64_t members, size;
    const float *x, *y;  // whole numbers where they are tokens
    int64_t x_member, x_sample, y_member, y_sample, y_output;
    const int64_t* index;  // (members, ·), which samples they are; null: those from the first on
    int64_t index_member;
    const float* rate;   // (members) of dropout; null for none
    const float* draws;  // this member's of all layers, one after the other; null where layers have theirs

    const float* smoothing;  // (members) shares of the targets of tokens; null for none
    int64_t ignored;         // the target of tokens that count nowhere
    int64_t first;           // of the samples, where there is no index

    int64_t sample(int64_t k, int64_t i) const { return index ? index[k * index_member + i] : first + i; }
    const int64_t* tokens(int64_t k, int64_t i) const {
        return reinterpret_cast<const int64_t*>(x) + k * x_member + sample(k, i) * x_sample;
    }
    int64_t target(int64_t k, int64_t i, int64_t place) const {
        return reinterpret_cast<const int64_t*>(y)[k * y_member + sample(k, i) * y_sample + place * y_output];
    }
};
