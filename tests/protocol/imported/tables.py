"""Tables of runs that nobody trained."""

import numpy as np
import pandas as pd

LEVELS = {"SGD": 0.5, "Adam": 0.4, "Muon": 0.38}


def curves(seeds=5, arms=LEVELS, steps=range(0, 50, 10)):
    """Return a wide table: a row for each step of each run, with two metrics."""
    rng = np.random.default_rng(0)
    rows = []
    for arm, level in arms.items():
        for seed in range(seeds):
            own = level + rng.normal(0, 0.02)
            for step in steps:
                value = own + np.exp(-step / 10)
                place = {"optimizer": arm, "seed": seed, "step": step}
                rows.append({**place, "val_loss": value, "train_loss": value - 0.1})
    return pd.DataFrame(rows)


def closing(**values):
    """Return a table with a row for each run: ``closing(A=[0.1, 0.2], B=[0.2, 0.3])``."""
    rows = [
        {"arm": arm, "seed": seed, "test/loss": value}
        for arm, own in values.items()
        for seed, value in enumerate(own)
    ]
    return pd.DataFrame(rows)
