"""Scrambled Sobol' points: spread out evenly, and each one uniform.

SciPy has them too, and gives the same ones bit for bit; but importing its statistics takes most of
a second, for which every study would wait before its first trial.
"""

from __future__ import annotations

import numpy as np

BITS = 30
"""Binary digits of a coordinate."""


def sobol_sequence(dimensions: int, count: int, stream: np.random.Generator) -> np.ndarray:
    """Return the first points of a Sobol' sequence, scrambled at random.

    A coordinate of point i is the exclusive or of the direction numbers v_j of those digits j that
    are 1 in the Gray code of i (Antonov & Saleev 1979). Scrambling multiplies the digits of every
    v_j by a random lower triangular matrix of zeros and ones, and flips digits of all points by one
    random mask (Matoušek 1998).

    Args:
        dimensions: coordinates of a point, D.
        count: points, N.
        stream: draws the scrambling.

    Returns:
        (N, D), from 0 to below 1.

    >>> sobol_sequence(1, 4, np.random.default_rng(0))[:, 0].round(2).tolist()
    [0.41, 0.75, 0.56, 0.15]
    """
    stream = stream.spawn(1)[0]  # as SciPy does
    places = 2 ** np.arange(BITS, dtype=np.uint32)
    mask_D = stream.integers(2, size=(dimensions, BITS), dtype=np.uint32) @ places
    matrix_DBB = np.tril(stream.integers(2, size=(dimensions, BITS, BITS), dtype=np.uint32))
    matrix_DBB[:, np.arange(BITS), np.arange(BITS)] = 1
    # rows are digits from the highest, columns direction numbers
    digits_DBB = _direction_numbers(dimensions)[:, None, :] >> np.arange(BITS)[::-1, None] & 1
    directions_DB = places[::-1] @ (matrix_DBB @ digits_DBB % 2)
    index_N = np.arange(count)
    used_NB = (index_N ^ index_N >> 1)[:, None] >> np.arange(BITS) & 1
    points_ND = np.bitwise_xor.reduce(used_NB[:, None] * directions_DB, axis=-1, dtype=np.int64)
    return np.asarray((points_ND ^ mask_D) / 2**BITS)


def _direction_numbers(dimensions: int) -> np.ndarray:
    """Return v_j of each dimension, (D, BITS), of which v_0 is the largest."""
    if dimensions > len(_POLYNOMIALS) + 1:
        from torch.quasirandom import SobolEngine  # which has 21201 dimensions

        return np.asarray(SobolEngine(dimensions).sobolstate.numpy().astype(np.int64))
    m_DB = np.ones((dimensions, BITS), np.int64)
    for m, (coefficients, first) in zip(m_DB[1:], _POLYNOMIALS, strict=False):
        degree = len(first)
        m[:degree] = first
        for j in range(degree, BITS):
            m[j] = m[j - degree] << degree ^ m[j - degree]
            for i in range(1, degree):
                m[j] ^= (coefficients >> degree - 1 - i & 1) * m[j - i] << i
    return m_DB << np.arange(BITS)[::-1]


_POLYNOMIALS = (
    (0, (1,)),
    (1, (1, 3)),
    (1, (1, 3, 1)),
    (2, (1, 1, 1)),
    (1, (1, 1, 3, 3)),
    (4, (1, 3, 5, 13)),
    (2, (1, 1, 5, 5, 17)),
    (4, (1, 1, 5, 5, 5)),
    (7, (1, 1, 7, 11, 19)),
    (11, (1, 1, 5, 1, 1)),
    (13, (1, 1, 1, 3, 11)),
)
"""The primitive polynomial of each dimension after the first, its inner coefficients read as a
binary number, and the numbers that its direction numbers begin with (Joe & Kuo 2008, table)."""
