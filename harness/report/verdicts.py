"""One table of the claims of several studies, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby

from harness.analysis.claims import Tested, tested
from harness.analysis.ranking import show
from harness.analysis.results import Results
from harness.report.page import slug
from harness.spec.claims.bound import Bound

HEAD = ("id", "claim", "verdict", "effect [95 %]", "p", "seeds", "study")
MARKS = "<!-- verdicts -->\n", "<!-- end of verdicts -->"
MANY = 5
"""Claims that differ only in their arm, from which on they share a row if their verdicts agree."""
Row = tuple[Tested, str]


def verdict_table(studies: Iterable[Results], link: str = "{}.html") -> str:
    """Return the claims with their verdicts as a Markdown table, by id and then in the order given.

    Args:
        studies: results of finished studies.
        link: where a study's report is, with the file's stem for ``{}``.
    """
    rows = [(t, found.study.name) for found in studies for t in tested(found)]
    rows.sort(key=lambda row: _order(row[0].claim.id))
    lines = [_line(HEAD), _line(["---"] * len(HEAD))]
    groups = (list(group) for _, group in groupby(rows, key=_alike))
    return (
        "\n".join(lines + [_line(cells) for group in groups for cells in _cells(group, link)])
        + "\n"
    )


def between_marks(text: str, table: str) -> str:
    """Return a page's text with the table between its marks replaced.

    Raises:
        ValueError: the page has no marks.
    """
    before, found, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not found or not end:
        raise ValueError(f"expected the lines {MARKS[0].strip()!r} and {MARKS[1]!r}")
    return f"{before}{found}\n{table}\n{end}{after}"


def _order(name: str) -> tuple[bool, int, str]:
    """Sort F2 before F10, and claims without a number last."""
    number = re.search(r"\d+", name)
    return number is None, int(number[0]) if number else 0, name


def _alike(row: Row) -> tuple[str, ...]:
    """Return what rows share that may be told as one: all but the arm, for claims about a single arm."""
    t, study = row
    claim, bound = t.claim, str(t.claim)
    if isinstance(claim, Bound):
        bound = str(claim.value)
    return study, claim.id, claim.kind, claim.on, t.verdict.verdict, bound


def _cells(group: Sequence[Row], link: str) -> list[Sequence[str]]:
    if len(group) < MANY:
        return [_row(row, str(row[0].claim), show(row[0].verdict.effect), link) for row in group]
    last = max(group, key=lambda row: row[0].verdict.p)
    arm, effects = last[0].claim.arms[0], [row[0].verdict.effect.mean for row in group]
    text = str(last[0].claim).replace(arm, f"each of {len(group)} arms", 1)
    return [_row(last, text, f"{min(effects):.4g} to {max(effects):.4g}", link)]


def _row(row: Row, text: str, effect: str, link: str) -> Sequence[str]:
    t, study = row
    mark = {"supported": "**supported**", "refuted": "*refuted*"}.get(
        t.verdict.verdict, t.verdict.verdict
    )
    return (
        t.claim.id,
        text,
        mark,
        effect,
        _p(t.verdict.p),
        str(t.seeds),
        f"[{study}]({link.format(slug(study))})",
    )


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
