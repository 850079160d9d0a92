"""The table of what the searches froze for each arm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.analysis.number_column import NumberColumn, value_column
from harness.analysis.quantities import in_powers, quantity_of
from harness.analysis.results import Results
from harness.core.study_record import FrozenEntry
from harness.spec.arms import Arm, build_arms


class WinnerRow(NamedTuple):
    """One arm's winning trials."""

    arm: str
    trials: int
    """Of all searches together."""
    values: str
    """The frozen values of what was searched, as ``path = value``; of several searches the middle
    with the range, or all the different names; empty where nothing was searched."""
    objective: float | None
    """Of the winning trial, the mean over searches; None where there was no search."""
    milliseconds: float | None
    """Of one update of the frozen recipe, alone; the mean over searches."""


class WinnerTable(NamedTuple):
    """All arms' winning trials."""

    rows: tuple[WinnerRow, ...]
    objectives: NumberColumn
    milliseconds: NumberColumn


def winner_table(results: Results) -> WinnerTable:
    """Return a row for each arm, in the order of the study.

    Args:
        results: of a finished study, with winners of each arm.
    """
    study = results.study
    rows = tuple(_row(results, arm) for arm in build_arms(study))
    searched = study.search.objective if study.search else "valid/loss"
    return WinnerTable(
        rows,
        value_column([row.objective for row in rows], quantity_of(searched, study.recipe.declared)),
        value_column([row.milliseconds for row in rows]),
    )


def _row(results: Results, arm: Arm) -> WinnerRow:
    """Return one arm's row."""
    winners = results.winners[arm.name]
    # a winner's recipe is plain data from the store; as a recipe it names fields by path
    settings = [arm.recipe.model_validate(winner.recipe).fields_by_path() for winner in winners]
    frozen = [
        f"{path} = {show_values([own.get(path) for own in settings])}"
        for path in arm.recipe.spaces()
    ]
    trials = results.trials
    count = int((trials["arm"] == arm.name).sum())
    readings = [reading.seconds for reading in results.clock.get(arm.name, {}).values()]
    return WinnerRow(
        arm.name,
        count,
        ", ".join(frozen),
        _objective(results, arm.name, winners),
        1000 * float(np.mean(readings)) if readings else None,
    )


def _objective(results: Results, arm: str, winners: Sequence[FrozenEntry]) -> float | None:
    """Return the mean objective of an arm's winning trials; None where nothing was tuned."""
    trials = results.trials[results.trials["arm"] == arm]
    won = [
        trials[(trials["search"] == winner.search) & (trials["trial"] == winner.trial)]["value"]
        for winner in winners
    ]
    values = [float(own.iloc[0]) for own in won if len(own) and own.iloc[0] is not None]
    return float(np.mean(values)) if values else None


def show_values(values: Sequence[object]) -> str:
    """Return the values that searches froze: one, or several numbers' middle and range, or names.

    >>> show_values([0.1]), show_values([0.1, 0.3, 0.2]), show_values(["relu", "tanh", "relu"])
    ('0.1', '0.2 (0.1 to 0.3)', 'relu (2), tanh (1)')
    """
    if len(set(map(str, values))) == 1:
        return _digits(values[0])
    if all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        numbers = np.array(values, dtype=float)
        middle, low, high = np.median(numbers), numbers.min(), numbers.max()
        return f"{_digits(middle)} ({_digits(low)} to {_digits(high)})"
    texts = [_digits(value) for value in values]
    return ", ".join(f"{text} ({texts.count(text)})" for text in dict.fromkeys(texts))


def _digits(value: object) -> str:
    if isinstance(value, tuple):  # widths: as they are written in a file
        return str([*value])
    return in_powers(f"{value:.3g}") if isinstance(value, float) else str(value)
