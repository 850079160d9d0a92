"""What is repeated: searches or seeds, complete over all levels."""

import numpy as np
import pytest

from harness.stats.blocks import blocks_of

NAN = np.nan


def test_blocks_of_a_method_are_means_of_its_searches():
    x_LKS = np.arange(12.0).reshape(2, 3, 2)
    found = blocks_of(x_LKS, 1, "method")
    assert found.values.tolist() == x_LKS.mean(axis=2).T.tolist()
    assert found.searches.tolist() == [0, 1, 2] and found.runs == 2


def test_blocks_of_winners_are_runs():
    found = blocks_of(np.arange(12.0).reshape(2, 3, 2), 1, "winner")
    assert found.values[1].tolist() == [1.0, 7.0] and found.searches.tolist() == [0, 0, 1, 1, 2, 2]
    assert blocks_of(np.zeros((2, 3, 4)), 2, "winner").values.shape == (4, 2, 3)


def test_a_seed_that_misses_a_run_is_left_out_at_all_levels():
    x = [[[1.0, 2.0], [NAN, NAN]], [[5.0, NAN], [1.0, 1.0]]]
    assert blocks_of(x, 1, "method").values.tolist() == [[1.0, 5.0]]
    assert blocks_of(x, 1, "winner").values.tolist() == [[1.0, 5.0]]
    assert blocks_of(np.full((2, 3), NAN), 1, "method").values.shape == (0, 2)


def test_other_shapes_are_refused():
    with pytest.raises(ValueError, match="an axis for each of 2 factors"):
        blocks_of(np.zeros((2, 3)), 2, "winner")
