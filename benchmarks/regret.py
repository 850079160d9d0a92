"""What does the search find in so many trials, and does it find more than random search?

    python -m benchmarks.regret [--seeds 50] [--json FILE]

Each sampler tunes on three landscapes (:mod:`benchmarks.landscapes`) through the harness's own
tuner, with the default start and rounds. Regret is the best trial's loss over the landscape's
lowest; differences from random search are paired by seed, with 95 % t intervals.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from pathlib import Path

import numpy as np
from scipy.stats import ttest_rel

import harness as h
from benchmarks.landscapes import Landscape, load, studies
from harness.protocol.tuner import ArmTuner
from harness.spec.arms import build_arms

SAMPLERS = ("random", "qmc", "tpe", "gp")
TRIALS = (8, 16, 32)
"""Numbers of trials; a search of more trials begins as one of fewer."""
LONGEST = {"gp": 16}
"""Most trials of samplers that take seconds to ask for a trial after those."""


def regrets(landscape: Landscape, sampler: str, seed: int) -> list[float]:
    """Return the regret of one search after each number of trials.

    Args:
        landscape: what is searched.
        sampler: by the name that a spec has.
        seed: the search's.
    """
    (arm,) = build_arms(studies()[landscape.name])
    longest = LONGEST.get(sampler, max(TRIALS))
    tuner = ArmTuner(arm, h.Search(trials=longest, sampler=sampler, seed=seed))
    losses: list[float] = []
    while tuner.trials_left:
        for asked in tuner.ask():
            losses.append(landscape.at(asked.values))
            diverged = not np.isfinite(losses[-1])
            tuner.tell(asked.number, losses[-1], "diverged" if diverged else "finished")
    return [min(losses[:trials]) - landscape.best for trials in TRIALS if trials <= longest]


def search(job: tuple[str, str, int]) -> list[float]:
    """Do one search in a worker; its arguments are those of :func:`regrets`, by name."""
    name, sampler, seed = job
    return regrets(load(name), sampler, seed)


def measure(seeds: int) -> dict[str, dict[str, list[dict[str, object]]]]:
    """Return, by landscape and sampler, what there is to say after each number of trials."""
    found: dict[tuple[str, str], np.ndarray] = {}
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for name in studies():
            for sampler in SAMPLERS:
                jobs = [(name, sampler, seed) for seed in range(seeds)]
                found[name, sampler] = np.array(pool.map(search, jobs, chunksize=1))
    return {
        name: {
            sampler: [
                summary(found[name, sampler][:, i], found[name, "random"][:, i], trials)
                for i, trials in enumerate(TRIALS[: found[name, sampler].shape[1]])
            ]
            for sampler in SAMPLERS
        }
        for name in studies()
    }


def summary(regret: np.ndarray, of_random: np.ndarray, trials: int) -> dict[str, object]:
    """Return the mean regret, and by how much it is below random search's."""
    row: dict[str, object] = {"trials": trials, "regret": float(regret.mean())}
    if not np.array_equal(regret, of_random):
        low, high = ttest_rel(of_random, regret).confidence_interval(0.95)
        row |= {
            "below random": float((of_random - regret).mean()),
            "interval": [float(low), float(high)],
        }
    return row


def show(row: dict[str, object]) -> str:
    """Return a row of the table in words."""
    text = f"{row['trials']:3d} trials: {row['regret']:.4f}"
    if "interval" not in row:
        return text
    low, high = row["interval"]
    return f"{text}, below random by {row['below random']:.4f} [{low:.4f}, {high:.4f}]"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--json", type=Path, default=Path("benchmarks/results/regret.json"))
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"  # two processes, a thread each
    measured = measure(given.seeds)
    print(f"mean regret of {given.seeds} searches (lower is better):")
    for name, samplers in measured.items():
        for sampler, rows in samplers.items():
            for row in rows:
                print(f"  {name:15s} {sampler:7s} {show(row)}")
    given.json.parent.mkdir(parents=True, exist_ok=True)
    kept = {"seeds": given.seeds, "landscapes": measured}
    given.json.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")
    print(f"written to {given.json}")


if __name__ == "__main__":
    main()
