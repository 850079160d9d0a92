"""Pools of real runs: what three optimizers end with, search after search, on three small tasks.

    python -m benchmarks.pools [--folder DIR] [--workers 2]

Each pool is a study of this harness: 40 searches of 8 random trials, whose winners are confirmed
with 12 fresh seeds. It is kept as a table in ``benchmarks/pools/``; a run that diverged is null.
``python -m benchmarks.calibration`` draws studies from them, whose truths are known: those of the
pool. Making all three takes about ten minutes of one core.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np

import harness as h
from benchmarks.store import temporary_store
from harness.analysis.results import Results
from harness.analysis.values import values_of
from harness.protocol.run import Options, run_study

FOLDER = Path(__file__).parent / "pools"
SEARCHES, SEEDS, TRIALS = 40, 12, 8
REACHED = 0.85
"""Share of all runs that reach a pool's target."""


class Pool(NamedTuple):
    """What runs of one task ended with, by optimizer: 40 searches with 12 seeds each."""

    name: str
    values: dict[str, dict[str, np.ndarray]]
    """(K, S) by metric and arm; searches and seeds of the arms are paired. ∞ where one diverged."""
    target: float
    """The validation loss that runs are to reach."""
    reached: dict[str, np.ndarray]
    """(K, S) by arm: the epoch after which a run first had it; ∞ where it never did."""
    epochs: int
    """Planned length."""


def studies() -> dict[str, h.Study]:
    """Return the studies that make the pools, by name."""
    digits = h.Recipe(
        data="digits", model=h.MLP(widths=(16,)), batch_size=64, epochs=8, optimizer=h.SGD(lr=0.1)
    )
    recipes = {
        "digits": digits,
        "mnist1d": digits.with_values(
            {"data": {"name": "MNIST1D"}, "model.widths": (32,), "batch_size": 100}
        ),
        "diabetes": digits.with_values(
            {"data": {"name": "Diabetes"}, "loss": {"name": "MSE"}, "batch_size": 32, "epochs": 12}
        ),
    }
    optimizers = {
        "SGD": h.SGD(lr=h.LogUniform(1e-2, 1.0)),
        "Momentum": h.SGD(lr=h.LogUniform(1e-3, 0.3), momentum=h.Uniform(0.8, 0.99)),
        "Adam": h.Adam(lr=h.LogUniform(3e-4, 3e-2)),
    }
    search = h.Search(searches=SEARCHES, trials=TRIALS, sampler="random")
    return {
        name: h.Study(
            name=name, recipe=recipe, compare={"optimizer": optimizers}, search=search, seeds=SEEDS
        )
        for name, recipe in recipes.items()
    }


def measure(study: h.Study, workers: int) -> Pool:
    """Train a pool, in a store that is thrown away."""
    with temporary_store():
        run_study(study, Options(workers=workers))
        results = h.results.load(study.name)
        arms = list(results.by_arm)
        recorded = [m for m in ("test/loss", "test/accuracy") if m in results.runs]
        values = {m: {a: values_of(results, a, m, maximize=False) for a in arms} for m in recorded}
        target, reached = _times(results, arms)
    return Pool(study.name, values, target, reached, study.recipe.epochs)


def _times(results: Results, arms: list[str]) -> tuple[float, dict[str, np.ndarray]]:
    """Return a target that most runs reach, and the epoch after which each first does."""
    curves = results.confirmed_curves.pivot(index="run_id", columns="epoch", values="valid/loss")
    losses = curves.to_numpy(float)
    best = np.nan_to_num(losses, nan=math.inf).min(axis=1)
    target = float(f"{np.quantile(best, REACHED):.3g}")
    there = losses <= target
    epochs = curves.columns.to_numpy(float)
    first = np.where(there.any(axis=1), epochs[there.argmax(axis=1)], math.inf)
    of_run = dict(zip(curves.index, first, strict=True))
    return target, {
        arm: np.array(
            [
                [of_run.get(results.by_arm[arm]["run_id"][seed], math.inf) for seed in seeds]
                for seeds in results.look.seeds
            ]
        )
        for arm in arms
    }


def save(pool: Pool, folder: Path = FOLDER) -> None:
    """Write a pool as JSON, one search a line."""

    def lines(table: np.ndarray, digits: int) -> str:
        rows = [
            json.dumps([float(f"{v:.{digits}g}") if math.isfinite(v) else None for v in row])
            for row in table
        ]
        return "[\n  " + ",\n  ".join(rows) + "]"

    def by_arm(tables: dict[str, np.ndarray], digits: int = 5) -> str:
        texts = [f'"{arm}": {lines(table, digits)}' for arm, table in tables.items()]
        return "{" + ",\n ".join(texts) + "}"

    # all digits of an accuracy: what is tied must stay so in differences
    values = ",\n ".join(
        f'"{metric}": {by_arm(tables, 9 if metric.endswith("accuracy") else 5)}'
        for metric, tables in pool.values.items()
    )
    text = (
        f'{{"epochs": {pool.epochs}, "target": {pool.target},\n "reached": '
        f'{by_arm(pool.reached)},\n "values": {{{values}}}}}\n'
    )
    (folder / f"{pool.name}.json").write_text(text, encoding="utf-8")


def load(name: str, folder: Path = FOLDER) -> Pool:
    """Read a pool."""
    kept = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))

    def tables(plain: dict[str, list[list[float | None]]]) -> dict[str, np.ndarray]:
        return {
            arm: np.array([[math.inf if v is None else v for v in row] for row in rows])
            for arm, rows in plain.items()
        }

    values = {metric: tables(by_arm) for metric, by_arm in kept["values"].items()}
    return Pool(name, values, kept["target"], tables(kept["reached"]), kept["epochs"])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    folder = given.folder.resolve()
    for name, study in studies().items():
        pool = measure(study, given.workers)
        save(pool, folder)
        for metric, by_arm in pool.values.items():
            means = {arm: f"{np.mean(v[np.isfinite(v)]):.4g}" for arm, v in by_arm.items()}
            print(f"{name} {metric}: {means}", flush=True)


if __name__ == "__main__":
    main()
