"""Which columns of a table say what: arm, seed, search, step, and the metrics.

A table is *long*, with columns for a metric's name and its value, or *wide*, with a column for each
metric.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from harness.core.errors import SpecError, nearest

ROLES = ("arm", "seed", "search", "step", "epoch", "samples", "metric", "value")
"""What a column may say, and how it is called where nothing else is told."""
WORDS_FOR_PARTS = {
    "train": "train",
    "training": "train",
    "valid": "valid",
    "validation": "valid",
    "val": "valid",
    "dev": "valid",
    "eval": "valid",
    "test": "test",
    "testing": "test",
}
"""Words for a part of the data, and what the harness calls it."""
_SHORT = {"acc": "accuracy"}
_METRIC = re.compile(r"[a-z]\w*(/[\w.-]+)+")


class Columns(NamedTuple):
    """The columns of a table by what they say; None for what it does not say."""

    arm: str
    seed: str | None
    search: str | None
    step: str | None
    epoch: str | None
    samples: str | None
    metric: str | None
    """Of a long table, the column with names of metrics."""
    value: str | None
    """Of a long table, the column with their values."""
    measured: tuple[str, ...]
    """Of a wide table, the columns that are metrics; of a long one, the names of those that are
    read, or nothing for all."""

    @property
    def long(self) -> bool:
        """Whether metric and value are columns of their own."""
        return self.metric is not None


def find_columns(
    table: pd.DataFrame, told: Mapping[str, str | None], metrics: Sequence[str] | None
) -> Columns:
    """Return what each column says.

    Args:
        table: its column names are texts.
        told: column names by role, where they are not the roles' own; None where nothing is told.
        metrics: names of the metrics that are read; all by default, of a wide table all columns
            that say nothing else.

    Raises:
        SpecError: a column that is told, or one for the arms, is not there.
    """
    found = {role: _column(table, role, told.get(role)) for role in ROLES}
    arm = found["arm"]
    if arm is None:
        raise SpecError(
            "arm: expected a column that says which arm a run is of, got none called 'arm'; say "
            f"which it is (arm=…); there are: {_listed([*table.columns])}"
        )
    if (found["metric"] is None) != (found["value"] is None):
        raise SpecError("metric, value: expected both columns of a long table, got one of them")
    used = {column for column in found.values() if column is not None}
    wide = [str(name) for name in table.columns if name not in used]
    long = found["metric"] is not None
    known = [*map(str, table[found["metric"]].unique())] if long else [*map(str, table.columns)]
    for name in metrics or ():
        if name not in known:
            raise SpecError(f"metrics: unknown metric {name!r}: {nearest(name, known)}")
    measured = tuple(metrics or (() if long else wide))
    if not long and not measured:
        raise SpecError("expected a column for each metric, or columns metric and value, got none")
    places = {role: column for role, column in found.items() if role != "arm"}
    if places["step"] is None and places["seed"] is not None:
        places["step"] = _counting(table, places["samples"], places["epoch"])
    return Columns(arm=arm, measured=measured, **places)


def _column(table: pd.DataFrame, role: str, told: str | None) -> str | None:
    """Return the column of a role: the one that is told, or one that is called as the role."""
    names = [str(name) for name in table.columns]
    if told is not None:
        if told not in names:
            raise SpecError(f"{role}: unknown column {told!r}: {nearest(told, names)}")
        return told
    return next((name for name in names if name.strip().lower() == role), None)


def _counting(table: pd.DataFrame, *columns: str | None) -> str | None:
    """Return the first column of whole numbers: the steps of a table that counts in epochs."""
    for column in columns:
        if column is not None:
            numbers = pd.to_numeric(table[column], errors="coerce").dropna()
            if ((numbers >= 0) & (numbers % 1 == 0)).all():
                return column
    return None


def _listed(names: Sequence[object], most: int = 12) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(str, names[:most])) + more


def metric_name(column: str) -> str:
    """Return the harness's name of a metric, given a column's.

    A part of the data, whatever it is called and wherever it stands, comes first; what is of no
    part is of the run.

    Args:
        column: as the table has it.

    >>> [metric_name(name) for name in ("val_loss", "Loss/train", "Test Acc", "BLEU", "speed/rel")]
    ['valid/loss', 'train/loss', 'test/accuracy', 'run/bleu', 'speed/rel']
    """
    if _METRIC.fullmatch(column) and column.partition("/")[0] != "final":
        head, _, rest = column.partition("/")
        if head in WORDS_FOR_PARTS:
            return f"{WORDS_FOR_PARTS[head]}/{_SHORT.get(rest, rest)}"
        if rest not in WORDS_FOR_PARTS:
            return column
    words = [word for word in re.split(r"[^\w]+|_", column.lower()) if word]
    part = "run"
    if len(words) > 1 and words[0] in WORDS_FOR_PARTS:
        part, words = WORDS_FOR_PARTS[words[0]], words[1:]
    elif len(words) > 1 and words[-1] in WORDS_FOR_PARTS:
        part, words = WORDS_FOR_PARTS[words[-1]], words[:-1]
    return f"{part}/{'_'.join(_SHORT.get(word, word) for word in words) or 'value'}"


def metric_names(columns: Sequence[str]) -> dict[str, str]:
    """Return the harness's name of each metric.

    Raises:
        SpecError: two of them would have one name.

    >>> metric_names(["val_loss"])
    {'val_loss': 'valid/loss'}
    """
    names: dict[str, str] = {}
    for column in columns:
        name = metric_name(column)
        other = next((known for known, own in names.items() if own == name), None)
        if other is not None:
            raise SpecError(
                f"expected one column for {name}, got {other!r} and {column!r}; rename one of them"
            )
        names[column] = name
    return names
