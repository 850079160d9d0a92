"""One table of the claims of several studies, in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from harness.answer.claims import Tested, tested
from harness.answer.ranking import show
from harness.report.page import slug
from harness.results import Results

HEAD = ("id", "claim", "verdict", "effect [95 %]", "p", "seeds", "study")


def verdict_table(studies: Iterable[Results], link: str = "{}.html") -> str:
    """Return the claims with their verdicts as a Markdown table, by id and then in the order given.

    Args:
        studies: results of finished studies.
        link: where a study's report is, with the file's stem for ``{}``.
    """
    rows = [(t, found.study.name) for found in studies for t in tested(found)]
    rows.sort(key=lambda row: _order(row[0].claim.id))
    lines = [_line(HEAD), _line(["---"] * len(HEAD))]
    return "\n".join(lines + [_line(_cells(t, name, link)) for t, name in rows]) + "\n"


def _order(name: str) -> tuple[bool, int, str]:
    """Sort F2 before F10, and claims without an id last."""
    number = re.search(r"\d+", name)
    return not name, int(number[0]) if number else 0, name


def _cells(t: Tested, study: str, link: str) -> Sequence[str]:
    mark = {"supported": "**supported**", "refuted": "*refuted*"}.get(t.verdict.verdict, t.verdict.verdict)
    report = f"[{study}]({link.format(slug(study))})"
    return t.claim.id, str(t.claim), mark, show(t.verdict.effect), _p(t.verdict.p), str(t.seeds), report


def _p(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
