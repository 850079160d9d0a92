// Members' minibatches, and what dropout draws for them.

#pragma once

#include <cstdint>

struct Batch {
    int64_t members, size;
    const float *x, *y;
    int64_t x_member, x_sample, y_member, y_sample, y_output;
    const int64_t* index;  // (members, ·), which samples they are; null for the first ones
    int64_t index_member;
    const float* rate;   // (members) of dropout; null for none
    const float* draws;  // this member's of all layers, one after the other; null where layers have theirs

    int64_t sample(int64_t k, int64_t i) const { return index ? index[k * index_member + i] : i; }
};
