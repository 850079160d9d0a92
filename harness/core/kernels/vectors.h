// Whole vectors of numbers, as GCC's and Clang's extension has them.

#pragma once

#include <cstdint>
#include <cstring>

namespace {

constexpr int64_t LANES = 16;  // numbers of a vector
typedef float Vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t Whole __attribute__((vector_size(LANES * sizeof(int32_t))));

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

}  // namespace
