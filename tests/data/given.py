"""Data as a user's functions might give them, well and badly."""

from __future__ import annotations

import numpy as np
import pandas as pd

X = np.random.default_rng(0).normal(size=(120, 4))
Y = np.arange(120) % 3


def minus_and_plus():
    return X, 2 * (Y % 2) - 1


def from_one():
    return X, Y + 1


def with_gaps():
    return X, 5 * Y


def texts():
    return X, np.array(["setosa", "versicolor", "virginica"])[Y]


def column_of_texts():
    return X, pd.Series(["no", "yes"]).take(Y % 2)


def booleans():
    return X, Y == 1


def one_hot():
    return X, np.eye(3)[Y]


def one_hot_but_one():
    return X, np.eye(3, dtype=int)[Y] * (np.arange(120) != 7)[:, None]


def several_labels():
    return X, np.stack([Y == 1, Y > 0, Y < 0], axis=1).astype(int)


def whole_numbers():
    return X, np.stack([Y, 5 * Y], axis=1)


def colors_last():
    return np.zeros((120, 8, 6, 3), np.uint8), Y


def plain():
    return X, Y


def lists():
    return X.tolist(), Y.tolist()


def numbers():
    return X, X.sum(1)


def column_of_numbers():
    return X, Y[:, None].astype(float)


def own_test_part():
    return X, Y * 2 - 1, X[:30], Y[:30] * 2 - 1


def test_part_of_one_class():
    return X, Y, X[:30], np.zeros(30, int)


def floats_like_classes():
    return X, Y.astype(float)


def column_of_integers():
    return X, Y[:, None]


def unseen_in_test():
    return X, Y, X[:30], Y[:30] + 2


def rare():
    return X, (np.arange(120) == 7).astype(int)


def one_class():
    return X, Y * 0


def empty():
    return np.zeros((0, 4)), np.zeros(0, int)


def lengths():
    return X, Y[:50]


def infinite():
    x = X.copy()
    x[5, 2] = np.inf
    return x, Y


def not_a_number():
    return X, np.where(Y == 1, np.nan, X[:, 0])


def missing_label():
    return X, np.array(["a", None, "b"], dtype=object)[Y]


def fractions_as_labels():
    return X, np.array([{"a": 1}, 2, 3], dtype=object)[Y]


def column_of_text():
    return pd.DataFrame({"age": X[:, 0], "city": "Bern"}), Y


def boolean_beside_float():
    return pd.DataFrame({"age": X[:, 0], "old": X[:, 0] > 0}), Y


def objects():
    return X.astype(object), Y


def flat():
    return X[:, 0], Y


def other_features_in_test():
    return X, Y, X[:30, :3], Y[:30]


def other_targets_in_test():
    return X, X, X[:30], X[:30, :2]


def raises():
    raise RuntimeError("the file is gone")


def nothing():
    return None


def three():
    return X, Y, X


def named():
    """Arrays by name: 40 groups of 3 samples, their times, and a class that follows neither."""
    return {"x": X, "y": Y, "person": np.arange(120) // 3, "time": np.arange(120)[::-1] // 2}


def own_parts():
    return {"x": X[:80], "y": Y[:80], "x_valid": X[80:100], "y_valid": Y[80:100],
            "x_test": X[100:], "y_test": Y[100:], "groups": np.arange(80)}  # fmt: skip


def grouped():
    return {"x": X, "y": Y, "groups": np.array([f"p{i // 5}" for i in range(120)])}


def unbalanced():
    """Two classes, one in eight, that overlap in four features."""
    stream = np.random.default_rng(4)
    y = (np.arange(960) % 8 == 0).astype(int)
    return stream.normal(size=(960, 4)) + 0.8 * y[:, None], y
