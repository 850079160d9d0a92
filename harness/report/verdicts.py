"""One table of the claims of several studies, in Markdown: ``harness verdicts``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from harness.analysis.claims import Tested, judge_claims
from harness.analysis.quantities import quantity_of_effect, say, say_p, say_value
from harness.analysis.results import Results
from harness.core.metric_names import Declared
from harness.report.file_names import slug
from harness.spec.claims.bound import Bound

HEAD = ("id", "claim", "verdict", "effect [interval]", "p", "runs", "study")
MARKS = "<!-- verdicts -->\n", "<!-- end of verdicts -->"
"""What stands before and after the table in a page that it is put into."""
FEWEST_JOINED = 5
"""Claims that differ only in their arm, from which on they share a row if their verdicts agree."""


class StudyClaim(NamedTuple):
    """A claim with its verdict, and the study that declared it."""

    tested: Tested
    study: str
    declared: Declared
    """What the study declares of metrics of its own."""


def verdict_table(studies: Iterable[Results], link: str = "{}.html") -> str:
    """Return the claims with their verdicts as a Markdown table, by id and then in the order given.

    Args:
        studies: results of finished studies.
        link: where a study's report is, with the file's stem for ``{}``.
    """
    claims = [
        StudyClaim(claim, results.study.name, results.study.recipe.declared)
        for results in studies
        for claim in judge_claims(results)
    ]
    claims.sort(key=lambda claim: _order(claim.tested.claim.id))
    lines = [_line(HEAD), _line(["---"] * len(HEAD))]
    for _, group in groupby(claims, key=_what_is_shared):
        lines += [_line(cells) for cells in _rows(list(group), link)]
    return "\n".join(lines) + "\n"


def between_marks(text: str, table: str) -> str:
    """Return a page's text with the table between its marks replaced.

    Args:
        text: the whole page, in Markdown.
        table: as :func:`verdict_table` gives it.

    Raises:
        ValueError: the page has no marks.
    """
    before, start, rest = text.partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not start or not end:
        raise ValueError(f"expected the lines {MARKS[0].strip()!r} and {MARKS[1]!r}")
    return f"{before}{start}\n{table}\n{end}{after}"


def _order(name: str) -> tuple[bool, int, str]:
    """Sort F2 before F10, and claims without a number last."""
    number = re.search(r"\d+", name)
    return number is None, int(number[0]) if number else 0, name


def _what_is_shared(row: StudyClaim) -> tuple[str, ...]:
    """Return what claims share that may be one row; of "above" and "below", all but the arm."""
    tested, study = row.tested, row.study
    claim, text = tested.claim, str(tested.claim)
    if isinstance(claim, Bound):
        text = str(claim.value)
    return study, claim.id, claim.kind, claim.on, tested.verdict.verdict, text


def _row_of(row: StudyClaim, link: str) -> Sequence[str]:
    """Return a claim's row; its name and numbers as they are recorded, to be searched for."""
    return _row(row, str(row.tested.claim), _said([row]), link)


def _said(group: Sequence[StudyClaim]) -> str:
    """Return a claim's effect with its interval, or the lowest and highest of several."""
    first = group[0]
    quantity = quantity_of_effect(first.tested.claim, first.declared)
    effects = [row.tested.verdict.effect for row in group]
    if len(group) == 1:
        return say(effects[0], quantity)
    low, high = min(e.mean for e in effects), max(e.mean for e in effects)
    return f"{say_value(low, quantity)} to {say_value(high, quantity)}"


def _rows(group: Sequence[StudyClaim], link: str) -> list[Sequence[str]]:
    """Return a row for each claim, or one for all of them where they are many."""
    if len(group) < FEWEST_JOINED:
        return [_row_of(row, link) for row in group]
    # The p-value of the weakest claim holds for all: they have the same verdict, see
    # _what_is_shared().
    weakest = max(group, key=lambda row: row.tested.verdict.p)
    claim = weakest.tested.claim
    text = str(claim).replace(claim.arms[0], f"each of {len(group)} arms", 1)
    return [_row(weakest, text, _said(group), link)]


def _row(claim: StudyClaim, text: str, effect: str, link: str) -> Sequence[str]:
    t, study = claim.tested, claim.study
    marks = {"supported": "**supported**", "undecided": "undecided"}
    return (
        t.claim.id,
        text,
        marks.get(t.verdict.verdict, f"*{t.verdict.verdict}*"),
        effect,
        say_p(t.verdict.p),
        str(t.look),
        f"[{study}]({link.format(slug(study))})",
    )


def _line(cells: Sequence[str]) -> str:
    # a bar within a cell would begin the next one
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
