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

from harness import __version__
from harness.core.whole_file import write_whole
from harness.report.file_names import slug
from harness.report.script import content_hash
from harness.report.template import ABOUT_LIMIT, asset, templates
from harness.report.thumbnail import CardClaim, CardLine
from harness.spec.source_code import short_digest

ABOUT = re.compile(r'<script type="application/json" id="about">(.*?)</script>', re.DOTALL)
"""Where a page says what it is about. The text has no ``<`` (the template escapes it), so it can't
hold the end of the element."""


FUNDAMENTALS, BEYOND, OTHERS = "The fundamentals, in their order", "Beyond them", "Reports"
"""Topics of the index; the last where there are no fundamentals."""
_NUMBER = re.compile(r"f\d\d\b")
"""How the names of the shipped studies of fundamentals begin."""
_LAST_FUNDAMENTAL = ("flagship", "flagship-quick")


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
    made_of: str
    """What the page follows from (:func:`made_of`)."""
    forest: list[CardClaim]
    """The claims whose effects can be drawn; pages of older versions lack it."""
    lines: list[CardLine]
    """The first figure's lines; empty where the claims stand there."""
    file: str
    tally: str
    """Added by the index: the page's file, and how many verdicts there are of each kind."""


def write_index(folder: Path) -> Path:
    """Write the index of a folder, from what its pages say they are about; return its path.

    Args:
        folder: with reports and comparisons; any other HTML file is passed over. Reports are
            listed by topic, and within one by name.
    """
    reports, comparisons = [], []
    for path in sorted(folder.glob("*.html")):
        about = read_about(path)  # the index itself says nothing, and is passed over
        if "verdicts" in about:
            about["tally"] = tally(verdict.partition(":")[0] for verdict in about["verdicts"])
            reports.append(about)
        elif "compares" in about:
            comparisons.append(about)
    index = folder / "index.html"
    page = templates().get_template("index.html")
    script = asset("index.js")
    write_whole(
        index,
        page.render(
            topics=by_topic(reports),
            total=len(reports),
            comparisons=comparisons,
            css=asset("page.css") + asset("index.css"),
            script=script,
            hash=content_hash(script),
        ),
    )
    return index


def by_topic(reports: Iterable[PageAbout]) -> dict[str, list[PageAbout]]:
    """Return the reports by topic: the fundamentals in their order, then what goes beyond them.

    Args:
        reports: what pages say they are about, by name.
    """
    fundamental: list[PageAbout] = []
    others: list[PageAbout] = []
    for about in reports:
        numbered = _NUMBER.match(about["name"]) or about["name"] in _LAST_FUNDAMENTAL
        (fundamental if numbered else others).append(about)
    fundamental.sort(key=lambda about: about["name"] in _LAST_FUNDAMENTAL)
    topics = {FUNDAMENTALS: fundamental, BEYOND if fundamental else OTHERS: others}
    return {topic: own for topic, own in topics.items() if own}


def page_of(folder: Path, study: str) -> Path:
    """Return where a study's report lies in a folder.

    Args:
        folder: with reports.
        study: its name. One that differs from another's in case or blanks alone has a file of its
            own: with the first digits of its hash, where the plain name is taken.
    """
    path = folder / f"{slug(study)}.html"
    taken = read_about(path).get("name", study) if path.exists() else study
    return path if taken == study else folder / f"{slug(study)}-{short_digest(study)[:6]}.html"


def made_of(identity: str) -> str:
    """Return what a page follows from: the study's answer and the version that wrote it.

    Args:
        identity: of the answer; empty for one that is not whole, whose page is always written
            anew.
    """
    return f"{identity} {__version__}" if identity else ""


def is_current(folder: Path, study: str, identity: str) -> bool:
    """Return whether a folder has the page of a study's answer, and an index that is not older.

    The index is written after the page: a kill between the two leaves it as it was.

    Args:
        folder: with reports.
        study: its name.
        identity: of the answer that the store has.
    """
    path, index = page_of(folder, study), folder / "index.html"
    if not identity or not path.exists() or not index.exists():
        return False
    indexed = index.stat().st_mtime_ns >= path.stat().st_mtime_ns
    return indexed and read_about(path).get("made_of") == made_of(identity)


def tally(verdicts: Iterable[str]) -> str:
    """Return how many verdicts there are of each kind, in words, the most frequent first.

    >>> tally(["supported", "opposite", "supported"])
    '2 supported, 1 opposite'
    """
    counts = Counter(verdicts)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


def read_about(path: Path) -> PageAbout:
    """Return what a page says it is about, and its file; nothing for a page that is not ours."""
    # a report has megabytes, and what is wanted of it stands at its beginning
    with path.open(encoding="utf-8") as file:
        match = ABOUT.search(file.read(ABOUT_LIMIT))
    if match is None:
        return {}
    about: PageAbout = json.loads(match[1])
    about["file"] = path.name
    return about
