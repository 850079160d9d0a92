"""What went wrong in single runs."""

import numpy as np
import pandas as pd
import pytest

from harness.analysis.failures import label_failures


def curve(**columns):
    length = len(next(iter(columns.values())))
    named = {name.replace("_", "/", 1): values for name, values in columns.items()}
    return pd.DataFrame({"step": range(length), "epoch": range(length), **named})


STEEP = np.geomspace(2.0, 0.2, 20)
FLAT = np.concatenate([np.linspace(2, 0.5, 10), np.full(10, 0.5)])


@pytest.mark.parametrize(
    "columns, names",
    [
        ({"valid_loss": FLAT, "train_loss": FLAT}, []),
        ({"valid_loss": STEEP, "train_loss": STEEP}, ["too low a learning rate, or too short"]),
        (
            {
                "valid_loss": np.concatenate([FLAT[:10], np.linspace(0.5, 1, 10)]),
                "train_loss": STEEP,
            },
            ["overfitted"],
        ),
        ({"valid_loss": np.full(20, 2.3), "train_loss": np.full(20, 2.3)}, ["underfitted"]),
        (
            {"valid_loss": FLAT, "train_loss": FLAT, "activation_dead": np.full(20, 0.8)},
            ["dead units"],
        ),
        (
            {"valid_loss": FLAT, "train_loss": FLAT, "gradient_ratio": np.full(20, 1e-9)},
            ["vanishing gradient"],
        ),
    ],
)
def test_failures_of_a_run(columns, names):
    assert [label.name for label in label_failures("finished", "", curve(**columns))] == names


def test_a_diverged_run_says_where():
    (label,) = label_failures("diverged", "loss not finite at step 7", curve(valid_loss=[1.0]))
    assert label == ("diverged", "loss not finite at step 7")
