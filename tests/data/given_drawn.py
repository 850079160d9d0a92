"""Functions whose data are drawn, with a seed and without."""

import numpy as np


def unseeded():
    """As with scikit-learn's train_test_split without random_state."""
    stream = np.random.default_rng()
    return stream.normal(size=(60, 4)), np.arange(60) % 3


def seeded():
    stream = np.random.default_rng(0)
    return stream.normal(size=(60, 4)), np.arange(60) % 3
