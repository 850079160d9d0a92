"""What the calibration found, as tables in Markdown."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.draws import CONDITIONS
from benchmarks.null_studies import KINDS

Row = Mapping[str, object]
COVERED = (0.935, 0.965)
"""Where the share of intervals that cover is to lie."""
CALLED = 0.06
"""Share of studies without a difference that may decide a claim: 5 %, and 1 % of chance."""


def page(measured: Mapping[str, object]) -> str:
    """Return the tables."""
    covered, nulls = measured["coverage"], measured["no difference"]
    stored = [row for row in covered if row["condition"] == "stored runs"]
    parts = [
        "# Calibration",
        "Studies drawn from stored runs of three tasks and three optimizers, with known truths, "
        "through the code that judges (`python -m benchmarks.calibration`). **Bold** lies outside "
        "of what is allowed by more than two standard errors.",
        "## 95 % intervals: which share covers",
        _covered("pair of optimizers", stored, lambda row: f"{row['task']}: {row['pair']}"),
        _covered("searches × seeds", stored, _shape),
        _covered("condition", covered, lambda row: str(row["condition"])),
        "## Studies without any difference: which share decides a claim",
        _called("runs", nulls, _shape),
        _called("condition", nulls, lambda row: str(row["condition"])),
        *(
            f"{name.capitalize()}: {text}.\n\n"
            + _called(name, [row for row in nulls if row["condition"] == name], _shape)
            for name, text in CONDITIONS.items()
        ),
        "Looks, five claims, any decided at any look: "
        + "; ".join(f"{name}: {rate:.1%}" for name, rate in measured["looks"].items())
        + ".",
    ]
    return "\n\n".join(parts) + "\n"


def _shape(row: Row) -> str:
    seeds = f"{row['seeds']} seeds"
    return seeds if row["searches"] == 1 else f"{row['searches']} × {seeds}"


def _groups(rows: Iterable[Row], name: Callable[[Row], str]) -> dict[str, list[Row]]:
    """Return rows by name, in the order in which they come."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(name(row), []).append(row)
    return groups


def _covered(what: str, rows: Iterable[Row], name: Callable[[Row], str]) -> str:
    """Return a table of what intervals cover."""
    head = [what, "studies", "method's", "winners', of the method", "winners', of these winners"]
    lines = []
    for group, own in _groups(rows, name).items():
        studies = sum(row["studies"] for row in own)
        shares = [_mean(own, lambda row, key=key: row[key]) for key in _COVERS]
        shown = [_marked(shares[0], studies, *COVERED), *(f"{share:.1%}" for share in shares[1:])]
        lines.append([group, f"{studies:,}", *shown])
    return _table(head, lines)


_COVERS = ("method", "winner", "winners_own")


def _called(what: str, rows: Iterable[Row], name: Callable[[Row], str]) -> str:
    """Return a table of how often claims of each kind are decided."""
    columns = [*KINDS, "family of 5"]
    lines = []
    for group, own in _groups(rows, name).items():
        cells = []
        for kind in columns:
            tried = [row for row in own if kind in row["called"]]
            if tried:
                studies = sum(row["studies"] for row in tried)
                share = _mean(tried, lambda row, kind=kind: row["called"][kind])
                cells.append(_marked(share, studies, 0.0, CALLED))
            else:
                cells.append("–")
        lines.append([group, f"{sum(row['studies'] for row in own):,}", *cells])
    return _table([what, "studies", *columns], lines)


def _mean(rows: Sequence[Row], share: Callable[[Row], float]) -> float:
    """Return the mean share, over studies."""
    studies = sum(row["studies"] for row in rows)
    return sum(share(row) * row["studies"] for row in rows) / studies


def _marked(share: float, studies: int, low: float, high: float) -> str:
    """Return a share in words, bold where it lies outside by more than two standard errors."""
    error = math.sqrt(share * (1 - share) / studies)
    outside = share + 2 * error < low or share - 2 * error > high
    return f"**{share:.1%}**" if outside else f"{share:.1%}"


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)
