// Products of matrices whose right one has whole vectors for rows.

#pragma once

#include <algorithm>

#include "vectors.h"

namespace {

constexpr int64_t WIDE = 2, TALL = 8;  // a tile is TALL × WIDE

// A matrix that a product takes number by number.
struct Numbers {
    const float* at;
    int64_t row, column;
};

// One product of a sum: of the numbers from a's offset on and the vectors from b's.
struct Term {
    int64_t a, b;
};

// The terms of a product of whole matrices: a's columns by b's rows.
struct InOrder {
    int64_t column, ld_b;

    Term operator[](int64_t k) const { return {k * column, k * ld_b}; }
};

// c (rows, columns) = Σ over terms of a[row, term.a] · b[term.b + column] for one tile.
template <int R, int V, class Terms>
void tile(const float* a, int64_t row_a, const float* b, Terms terms, int64_t depth, float* c, int64_t ld_c,
          int64_t columns) {
    Vector sum[R][V] = {};
    for (int64_t k = 0; k < depth; ++k) {
        const Term term = terms[k];
        Vector row[V];
        for (int v = 0; v < V; ++v) row[v] = load(b + term.b + v * LANES);
        for (int r = 0; r < R; ++r) {
            const float number = a[r * row_a + term.a];
            for (int v = 0; v < V; ++v) sum[r][v] += number * row[v];
        }
    }
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) store(c + r * ld_c + v * LANES, sum[r][v], columns - v * LANES);
}

// All tiles of some rows.
template <int R, class Terms>
void strip(const float* a, int64_t row_a, const float* b, Terms terms, int64_t depth, float* c, int64_t ld_c,
           int64_t columns) {
    for (int64_t n = 0; n < columns; n += WIDE * LANES)
        if (columns - n > LANES) tile<R, WIDE>(a, row_a, b + n, terms, depth, c + n, ld_c, columns - n);
        else tile<R, 1>(a, row_a, b + n, terms, depth, c + n, ld_c, columns - n);
}

// c (rows, columns) = Σ over terms; b's rows are whole vectors. Strips are of about one height: the last
// of them has as many rows to share its vectors as the others.
template <class Terms>
void gathered_product(int64_t rows, int64_t columns, Terms terms, int64_t depth, const float* a,
                      int64_t row_a, const float* b, float* c, int64_t ld_c) {
    static constexpr decltype(&strip<1, Terms>) some[] = {
        strip<1, Terms>, strip<2, Terms>, strip<3, Terms>, strip<4, Terms>,
        strip<5, Terms>, strip<6, Terms>, strip<7, Terms>, strip<TALL, Terms>};
    const int64_t strips = (rows + TALL - 1) / TALL;
    for (int64_t s = 0, m = 0; s < strips; ++s) {
        const int64_t tall = (rows - m + strips - s - 1) / (strips - s);
        some[tall - 1](a + m * row_a, row_a, b, terms, depth, c + m * ld_c, ld_c, columns);
        m += tall;
    }
}

// c (rows, columns) = a (rows, depth) · b (depth, columns).
void product(int64_t rows, int64_t columns, int64_t depth, Numbers a, const float* b, int64_t ld_b,
             float* c, int64_t ld_c) {
    gathered_product(rows, columns, InOrder{a.column, ld_b}, depth, a.at, a.row, b, c, ld_c);
}

// c (R, V) = Σ over terms and columns of a[row, term.a + column] · b[offsets[·] + term.b + column].
template <int R, int V>
void dots_tile(const float* a, int64_t row_a, const float* b, const int64_t* offsets, const Term* terms,
               int64_t count, int64_t columns, float* c, int64_t ld_c) {
    Vector sum[R][V] = {};
    for (const Term* term = terms; term < terms + count; ++term)
        for (int64_t i = 0; i < columns; i += LANES) {
            Vector right[V];
            for (int v = 0; v < V; ++v) right[v] = load(b + offsets[v] + term->b + i);
            for (int r = 0; r < R; ++r) {
                const Vector left = load(a + r * row_a + term->a + i);
                for (int v = 0; v < V; ++v) sum[r][v] += left * right[v];
            }
        }
    for (int r = 0; r < R; ++r)
        for (int v = 0; v < V; ++v) c[r * ld_c + v] = total(sum[r][v]);
}

// c (rows, ·) = the sums of products of a's rows with b's, which begin at the offsets; see dots_tile.
void dots(int64_t rows, const int64_t* offsets, int64_t across, const Term* terms, int64_t count,
          int64_t columns, const float* a, int64_t row_a, const float* b, float* c, int64_t ld_c) {
    constexpr int64_t SIDE = 4;
    static constexpr decltype(&dots_tile<1, 1>) some[SIDE][SIDE] = {
        {dots_tile<1, 1>, dots_tile<1, 2>, dots_tile<1, 3>, dots_tile<1, 4>},
        {dots_tile<2, 1>, dots_tile<2, 2>, dots_tile<2, 3>, dots_tile<2, 4>},
        {dots_tile<3, 1>, dots_tile<3, 2>, dots_tile<3, 3>, dots_tile<3, 4>},
        {dots_tile<4, 1>, dots_tile<4, 2>, dots_tile<4, 3>, dots_tile<4, 4>}};
    for (int64_t n = 0; n < across; n += SIDE)
        for (int64_t m = 0; m < rows; m += SIDE)
            some[std::min(SIDE, rows - m) - 1][std::min(SIDE, across - n) - 1](
                a + m * row_a, row_a, b, offsets + n, terms, count, columns, c + m * ld_c + n, ld_c);
}

}  // namespace
