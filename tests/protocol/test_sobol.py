"""Our Sobol' points are SciPy's, which take longer to import than a driver takes to start."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats.qmc import Sobol

from harness.protocol.sobol import sobol_sequence


@pytest.mark.parametrize("dimensions", [1, 2, 7, 12, 40])
@pytest.mark.parametrize("count", [0, 1, 2, 5, 16, 100])
def test_the_points_are_those_of_scipy_bit_for_bit(dimensions, count):
    reference = Sobol(dimensions, rng=np.random.default_rng(3))
    expected = reference.random_base2(max(count - 1, 0).bit_length())[:count]
    ours = sobol_sequence(dimensions, count, np.random.default_rng(3))
    np.testing.assert_array_equal(ours, expected)
