"""The predicted decrease, against its orders in the learning rate."""

import numpy as np
import pytest

import harness as h
from tests.probes.recipes import every, recipe


def test_first_order_decrease_is_exact_in_the_limit_and_second_order_in_its_error():
    errors_by_rate = [
        h.train(recipe("deep", optimizer=h.SGD(lr=lr)), probes=every("Descent")).curves[
            ["descent/error", "descent/error2"]
        ]
        for lr in (1e-2, 1e-3, 1e-4)
    ]
    first, second = np.array([errors.mean() for errors in errors_by_rate]).T
    assert first[:-1] / first[1:] == pytest.approx(10, rel=0.1)
    assert second[:-1] / second[1:] == pytest.approx(100, rel=0.1)
