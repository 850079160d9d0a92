"""``index.html``: every report in a folder with its answer, and the pages that compare studies.

It is made from the pages alone, which say in their heads what they are about: so it can be renewed
in a folder whose studies' stores are elsewhere.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

from harness.report.template import ABOUT_LIMIT, asset, templates

ABOUT = re.compile(r'<script type="application/json" id="about">(.*?)</script>', re.DOTALL)
"""Where a page says what it is about. The text has no ``<`` (the template escapes it), so it can't
hold the end of the element."""


class PageAbout(TypedDict, total=False):
    """What a page says it is about, as JSON in its head; a report has all but ``compares``."""

    name: str
    question: str
    answer: str
    verdicts: list[str]
    """Each claim with its verdict in front, as ``supported: …``."""
    arms: int
    runs: int
    compares: list[str]
    """The studies that a page sets side by side; on no other page."""
    file: str
    tally: str
    """Added by the index: the page's file, and how many verdicts there are of each kind."""


def write_index(folder: Path) -> Path:
    """Write the index of a folder, from what its pages say they are about; return its path.

    Args:
        folder: with reports and comparisons, in the order of whose names they are listed; any other
            HTML file is passed over.
    """
    reports, comparisons = [], []
    for path in sorted(folder.glob("*.html")):
        about = _about_of(path)  # the index itself says nothing, and is passed over
        if "verdicts" in about:
            about["tally"] = tally(verdict.partition(":")[0] for verdict in about["verdicts"])
            reports.append(about)
        elif "compares" in about:
            comparisons.append(about)
    index = folder / "index.html"
    page = templates().get_template("index.html")
    index.write_text(
        page.render(entries=reports, comparisons=comparisons, css=asset("page.css")),
        encoding="utf-8",
    )
    return index


def tally(verdicts: Iterable[str]) -> str:
    """Return how many verdicts there are of each kind, in words, the most frequent first.

    >>> tally(["supported", "opposite", "supported"])
    '2 supported, 1 opposite'
    """
    counts = Counter(verdicts)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def _about_of(path: Path) -> PageAbout:
    """Return what a page says it is about, and its file; nothing for a page that is not ours."""
    # a report has megabytes, and what is wanted of it stands at its beginning
    with path.open(encoding="utf-8") as file:
        match = ABOUT.search(file.read(ABOUT_LIMIT))
    if match is None:
        return {}
    about: PageAbout = json.loads(match[1])
    about["file"] = path.name
    return about
