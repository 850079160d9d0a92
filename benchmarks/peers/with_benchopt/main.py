"""The grid of rates, then five seeds of each best one: benchopt runs, the choice is made here."""

from pathlib import Path

import numpy as np
import pandas as pd
from benchopt import run_benchmark

RANGES = {"SGD": (1e-2, 1.0), "momentum": (1e-3, 1e-1), "Adam": (1e-4, 1e-2)}
HERE = Path(__file__).parent


def run(solvers):
    """Run some solvers once each, and return a table of what was measured."""
    file = run_benchmark(
        HERE, solver_names=solvers, n_repetitions=1, plot_result=False, show_progress=False
    )
    return pd.read_parquet(file)


def main():
    arms = [(optimizer, size) for optimizer in RANGES for size in (32, 128)]
    rates = {name: ",".join(map(str, np.geomspace(*ends, 5))) for name, ends in RANGES.items()}
    grid = [f"network[optimizer={o},batch_size={size},lr=[{rates[o]}]]" for o, size in arms]
    keys = ["p_solver_optimizer", "p_solver_batch_size"]
    tried = run(grid)
    best = tried.loc[tried.groupby(keys)["objective_value"].idxmin()]
    rows = best[[*keys, "p_solver_lr"]].itertuples(index=False)
    chosen = [
        f"network[optimizer={o},batch_size={size},lr={lr},seed=[0,1,2,3,4]]" for o, size, lr in rows
    ]
    print(run(chosen).groupby(keys)["objective_test_accuracy"].agg(["mean", "std"]))


if __name__ == "__main__":
    main()
