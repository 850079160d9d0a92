// Whole vectors of numbers, as GCC's and Clang's extension has them.

#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace {

constexpr int64_t LANES = 16;  // numbers of a vector
typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t Whole __attribute__((vector_size(LANES * sizeof(int32_t))));

const Whole LANE = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

inline Vector load(const float* from) {
    Vector v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

inline void store(float* to, Vector v) { std::memcpy(to, &v, sizeof v); }

// As many numbers as there are, the rest zeros: the length of a whole vector is known to the compiler.
inline Vector load(const float* from, int64_t count) {
    if (count >= LANES) return load(from);
    Vector v = {};
    std::memcpy(&v, from, count * sizeof(float));
    return v;
}

inline void store(float* to, Vector v, int64_t count) {
    if (count >= LANES) store(to, v);
    else std::memcpy(to, &v, count * sizeof(float));
}

inline int64_t padded(int64_t n) { return (n + LANES - 1) / LANES * LANES; }

// to (columns, ·) = from (rows, columns) transposed, in blocks of LANES² numbers: each of four rounds
// swaps the off-diagonal quarters of ever smaller squares.
void transpose(const float* from, int64_t ld_from, int64_t rows, int64_t columns, float* to,
               int64_t ld_to) {
    for (int64_t m = 0; m < rows; m += LANES)
        for (int64_t n = 0; n < columns; n += LANES) {
            Vector block[LANES] = {};
            const int64_t down = std::min(LANES, rows - m), across = std::min(LANES, columns - n);
            for (int64_t i = 0; i < down; ++i) block[i] = load(from + (m + i) * ld_from + n, across);
#pragma GCC unroll 4
            for (int s = LANES / 2; s; s /= 2) {
                const Whole low = (LANE & s) ? LANE - s + LANES : LANE;
                const Whole high = (LANE & s) ? LANE + LANES : LANE + s;
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

// The sum of a vector's numbers, by halves.
inline float total(Vector v) {
#pragma GCC unroll 4
    for (int s = LANES / 2; s; s /= 2) v += __builtin_shuffle(v, LANE ^ s);
    return v[0];
}

}  // namespace
