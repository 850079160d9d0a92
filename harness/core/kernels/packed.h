// Products with matrices that are copied into panels first: a panel's rows are WIDE whole vectors that lie
// one behind the other, so that a cache has room for them whatever the matrix's width.

#pragma once

#include <algorithm>

#include "products.h"

namespace {

constexpr int64_t PANEL = WIDE * LANES;

// Numbers of a matrix's panels.
inline int64_t packed(int64_t rows, int64_t columns) { return rows * padded(columns); }

inline int64_t panel_width(int64_t columns, int64_t from) { return std::min(PANEL, padded(columns - from)); }

// to = panels of from (rows, columns), with zeros behind the last column.
void pack(int64_t rows, int64_t columns, const float* from, int64_t ld, float* to) {
    for (int64_t n = 0; n < columns; n += PANEL)
        for (int64_t m = 0; m < rows; ++m)
            for (int64_t i = n; i < n + panel_width(columns, n); i += LANES, to += LANES)
                store(to, load(from + m * ld + i, columns - i));
}

// to = panels of fromᵀ, which is (columns, rows).
void pack_transposed(int64_t rows, int64_t columns, const float* from, int64_t ld, float* to) {
    if (columns % LANES) std::fill(to, to + packed(rows, columns), 0.0f);
    for (int64_t n = 0; n < columns; n += PANEL) {
        const int64_t width = panel_width(columns, n);
        transpose(from + n * ld, ld, std::min(width, columns - n), rows, to + n * rows, width);
    }
}

// c (rows, whole vectors of columns) = a (rows, depth) · the matrix (depth, columns) of the panels.
void packed_product(int64_t rows, int64_t columns, int64_t depth, Numbers a, const float* panels, float* c,
                    int64_t ld_c) {
    for (int64_t n = 0; n < columns; n += PANEL) {
        const int64_t width = panel_width(columns, n);
        product(rows, width, depth, a, panels + n * depth, width, c + n, ld_c);
    }
}

}  // namespace
