"""The table of what the search froze for each arm."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from harness.analysis.results import Results
from harness.spec.arms import build_arms


class WinnerRow(NamedTuple):
    """One arm's winning trial."""

    arm: str
    trials: int
    values: str
    """The frozen values of what was searched, as ``path = value``; empty where nothing was."""
    objective: float | None
    """Of the winning trial; None where there was no search."""


def winner_table(results: Results) -> list[WinnerRow]:
    """Return a row for each arm, in the order of the study.

    Args:
        results: of a finished study, with a winner for each arm.
    """
    trials, rows = results.trials, []
    for arm in build_arms(results.study):
        winner = results.winners[arm.name]
        # the winner's recipe is plain data from the store; as a recipe it names fields by path
        fields = arm.recipe.model_validate(winner.recipe).fields_by_path()
        frozen = [f"{path} = {_digits(fields.get(path))}" for path in arm.recipe.spaces()]
        mine = trials[trials["arm"] == arm.name] if len(trials) else trials
        objective = _objective(mine, winner.trial)
        rows.append(WinnerRow(arm.name, len(mine), ", ".join(frozen), objective))
    return rows


def _objective(trials: pd.DataFrame, trial: int) -> float | None:
    # without a search there are no trials, and an arm's own recipe is its winner
    best = trials[trials["trial"] == trial]["value"]
    return float(best.iloc[0]) if len(best) else None


def _digits(value: object) -> str:
    if isinstance(value, tuple):  # widths: as they are written in a file
        return str([*value])
    return f"{value:.4g}" if isinstance(value, float) else str(value)
