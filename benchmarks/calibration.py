"""Do intervals cover what they should, and how often is a difference seen where there is none?

    python -m benchmarks.calibration [--studies 120] [--quick] [--folder DIR]

Studies are drawn from pools of real runs (:mod:`benchmarks.pools`), so that the truth is known, and
judged by the code that judges real ones, :func:`harness.analysis.claims.judge_claims`. It writes
``calibration.json`` and ``calibration.md``; the quick form has a tenth of the studies, and writes
nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from itertools import combinations, islice
from pathlib import Path

import numpy as np

from benchmarks.calibration_page import page
from benchmarks.covering import covering, shares
from benchmarks.draws import CONDITIONS, Shape
from benchmarks.null_studies import calls_at_looks, false_calls
from benchmarks.pools import Pool, load

TASKS = ("digits", "mnist1d", "diabetes")
SEEDS = (3, 5, 10, 20)
METHODS: tuple[Shape, ...] = tuple((searches, seeds) for searches in (5, 8) for seeds in SEEDS)
"""Searches and seeds whose intervals are tried."""
NULLS: tuple[Shape, ...] = (*((1, seeds) for seeds in SEEDS), (3, 5), (5, 5), (8, 5))
"""Studies without a difference: of winners with 3 to 20 seeds, and of methods."""

Rows = list[dict[str, object]]


def coverage(pools: list[Pool], studies: int, rng: np.random.Generator) -> Rows:
    """Return what the intervals cover, a row for each pair of optimizers, condition and shape.

    Args:
        pools: the tasks.
        studies: of each row of stored runs; the other conditions have a third.
        rng: draws.
    """
    rows = []
    for condition in CONDITIONS:
        if condition == "unequal":  # as all pairs of optimizers are
            continue
        metric = "test/accuracy" if condition == "discrete" else "test/loss"
        for pool in (pool for pool in pools if metric in pool.values):
            for pair in combinations(pool.values[metric], 2):
                for shape in METHODS:
                    drawn = covering(pool, metric, pair, condition, shape, rng)
                    many = studies if condition == "stored runs" else max(1, studies // 3)
                    found = shares(list(islice(drawn, many)))
                    place = {"task": pool.name, "pair": " − ".join(pair), "condition": condition}
                    size = {"searches": shape[0], "seeds": shape[1], "studies": many}
                    rows.append({**place, **size, **found._asdict()})
    return rows


def no_difference(pools: list[Pool], studies: int, rng: np.random.Generator) -> Rows:
    """Return how often claims are decided without a difference, a row for each condition and shape.

    Args:
        pools: the tasks.
        studies: of each row.
        rng: draws.
    """
    return [
        {
            "condition": condition,
            "searches": shape[0],
            "seeds": shape[1],
            "studies": studies,
            "called": false_calls(pools, condition, shape, studies, rng),
        }
        for condition in CONDITIONS
        for shape in NULLS
    ]


def measure(studies: int, tasks: Sequence[str] = TASKS) -> dict[str, object]:
    """Return all that is measured.

    Args:
        studies: of each row, and of each way of looking.
        tasks: whose pools are drawn from.
    """
    pools, rng = [load(name) for name in tasks], np.random.default_rng(2026)
    return {
        "studies": studies,
        "coverage": coverage(pools, studies, rng),
        "no difference": no_difference(pools, studies, rng),
        "looks": calls_at_looks(pools, studies, rng),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--studies", type=int, default=120)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--folder", type=Path, default=Path("benchmarks/results"))
    given = parser.parse_args()
    measured = measure(given.studies // 10 if given.quick else given.studies)
    print(page(measured))
    if not given.quick:
        given.folder.mkdir(parents=True, exist_ok=True)
        kept = json.dumps(measured, indent=1, ensure_ascii=False) + "\n"
        (given.folder / "calibration.json").write_text(kept, encoding="utf-8")
        (given.folder / "calibration.md").write_text(page(measured), encoding="utf-8")
        print(f"written to {given.folder}")


if __name__ == "__main__":
    main()
