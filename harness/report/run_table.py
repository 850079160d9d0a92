"""The table of every run behind a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from harness.analysis.answer import Answer
from harness.analysis.failures import Label, find_failures
from harness.analysis.number_column import value_column
from harness.analysis.results import Results
from harness.report.library import pack_text

_COLUMNS = [
    "arm",
    "stage",
    "search",
    "trial",
    "seed",
    "status",
    "run_id",
    "cost/steps",
    "cost/seconds",
]


class RunRow(NamedTuple):
    """One run."""

    arm: str
    stage: str
    search: int
    trial: int
    seed: int
    status: str
    run_id: str
    steps: float
    seconds: float
    """What it cost; NaN where it is not known."""
    value: float | None
    """Of a confirm run, what the arms are ranked by; of a search run, its trial's objective."""
    labels: tuple[Label, ...]
    """What went wrong in it; known of confirm runs."""


class RunColumn(NamedTuple):
    """A column of the page's table."""

    name: str
    numeric: bool
    cells: Sequence[str]


class PackedTable(NamedTuple):
    """The table as the page holds it: most of a large study's page, were it written out."""

    columns: tuple[RunColumn, ...]
    """The last one has the whole id of each run, of which the page's script makes a link."""
    rows: int
    """How many there are."""
    unit: str
    """Of the values."""
    packed: str
    """Lists of the columns' cells as JSON, as :func:`harness.report.library.pack_text`."""


def list_runs(results: Results, answer: Answer) -> list[RunRow]:
    """Return the confirm runs by the arms' places, then those of the search; by search, trial and
    seed.

    Args:
        results: of a finished study.
        answer: the study's answer, for the arms' places and the values that they are ranked by.
    """
    places = {place.arm: i for i, place in enumerate(answer.ranking)}
    confirmed, searched = _confirmed_values(results, answer), _objectives(results)
    labels = find_failures(results)
    rows = []
    # reindex() adds the columns that are missing where every run failed before it cost anything
    table = results.runs.sort_values(["search", "trial", "seed"], kind="stable").reindex(
        columns=_COLUMNS
    )
    for arm, stage, search, trial, seed, status, run_id, steps, seconds in table.itertuples(
        index=False
    ):
        is_confirm = stage == "confirm"
        value = confirmed[arm, seed] if is_confirm else searched.get((arm, search, trial))
        wrong = labels.get(run_id, ()) if is_confirm else ()
        ran = (arm, stage, search, trial, seed, status, run_id, steps, seconds)
        rows.append(RunRow(*ran, value, wrong))
    # False sorts before True: confirm runs first. An arm without a place comes last.
    # sorted() is stable: within an arm, the order by trial and seed stays
    return sorted(rows, key=lambda row: (row.stage != "confirm", places.get(row.arm, len(places))))


def pack_runs(rows: Sequence[RunRow]) -> PackedTable:
    """Return the table as the page holds it.

    Args:
        rows: of :func:`list_runs`.
    """
    values = value_column([row.value for row in rows], missing="")
    steps = value_column([row.steps for row in rows], missing="")
    seconds = value_column([row.seconds for row in rows], missing="")
    searches = [RunColumn("Search", True, [str(row.search) for row in rows])]
    trials = ["" if row.stage == "confirm" else str(row.trial) for row in rows]
    columns = (
        RunColumn("Arm", False, [row.arm for row in rows]),
        RunColumn("Stage", False, [row.stage for row in rows]),
        *(searches if any(row.search for row in rows) else ()),
        RunColumn("Trial", True, trials),
        RunColumn("Seed", True, [str(row.seed) for row in rows]),
        RunColumn("Ended", False, [_ending(row) for row in rows]),
        RunColumn("Value", True, values.cells),
        RunColumn("Updates", True, steps.cells),
        RunColumn("Seconds", True, seconds.cells),
        RunColumn("MLflow run", False, [row.run_id for row in rows]),
    )
    text = json.dumps([list(column.cells) for column in columns], separators=(",", ":"))
    return PackedTable(columns, len(rows), values.unit, pack_text(text))


def _ending(row: RunRow) -> str:
    """Return how a run ended, and what went wrong in it."""
    told = [
        f"{'' if label.name == row.status else f'; {label.name}'} ({label.evidence})"
        for label in row.labels
    ]
    return "".join([row.status, *told])


def _confirmed_values(results: Results, answer: Answer) -> dict[tuple[str, int], float]:
    """Return what the arms are ranked by, by arm and seed; of a run that diverged, the worst."""
    values = {}
    for place in answer.ranking:
        seeds = np.ravel(results.look.seeds)
        for seed, value in zip(seeds, place.values.ravel(), strict=True):
            values[place.arm, int(seed)] = float(value)
    return values


def _objectives(results: Results) -> dict[tuple[str, int, int], float]:
    """Return the objective of each trial, by arm, search and trial."""
    trials = results.trials
    if not len(trials):
        return {}
    keys = zip(trials["arm"], trials["search"], trials["trial"], strict=True)
    return dict(zip(keys, trials["value"], strict=True))
