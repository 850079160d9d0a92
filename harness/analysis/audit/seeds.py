"""Check of the seeds: whether they make a difference at all."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from harness.analysis.audit.finding import Finding, first_of
from harness.analysis.results import Results

MEASURED = ("train/", "valid/", "test/", "run/")
"""What names of results begin with; costs and steps are the same for all seeds."""


def idle_seeds(results: Results) -> Iterator[Finding]:
    """Find arms whose runs of one recipe end with the same numbers, whatever their seed.

    A loop that never asks for its seed does so. Its runs count as one, while tests and intervals
    take them for many.
    """
    runs = results.confirmed
    ended = runs[runs["status"] == "finished"]
    columns = [column for column in ended if str(column).startswith(MEASURED)]
    idle = []
    for arm, rows in ended.groupby("arm", sort=False):
        several = [own for _, own in rows.groupby("search") if own["seed"].nunique() > 1]
        if several and all(_all_equal(own[columns]) for own in several):
            idle.append(str(arm))
    if idle:
        yield Finding(
            "seeds without effect",
            f"runs of {first_of(idle)} end with the same numbers whatever their seed: they count "
            "as one run, and verdicts take them for several",
            "let everything that is drawn come from the run's seed (run.seed, {seed} in a "
            "command); where nothing is drawn, read the difference itself and no verdict",
        )


def _all_equal(values: pd.DataFrame) -> bool:
    """Return whether all rows are the same and have a number."""
    return bool((values.nunique(dropna=False) == 1).all() and values.notna().any(axis=None))
