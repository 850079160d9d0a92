"""``index.html``: every report in a folder with its answer, and the pages that compare studies."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.report.template import ABOUT_LIMIT, asset, templates

ABOUT = re.compile(r'<script type="application/json" id="about">(.*?)</script>', re.DOTALL)
"""Where a page says what it is about."""


def write_index(folder: Path) -> Path:
    """Write the index of a folder, from what its pages say they are about; return its path."""
    reports, comparisons = [], []
    for path in sorted(folder.glob("*.html")):
        about = _about_of(path)
        if "verdicts" in about:
            kinds = (verdict.partition(":")[0] for verdict in about["verdicts"])
            reports.append(about | {"tally": tally(kinds)})
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
    """Return how many verdicts there are of each kind, in words.

    >>> tally(["supported", "refuted", "supported"])
    '2 supported, 1 refuted'
    """
    counts = Counter(verdicts)
    return ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())


# what a page says of itself is JSON of its own making (page.py, compare.py), read back by the
# index's template
def _about_of(path: Path) -> dict[str, Any]:
    """Return what a page says it is about, and its file; nothing for a page that is not ours."""
    with path.open(encoding="utf-8") as file:
        match = ABOUT.search(file.read(ABOUT_LIMIT))
    return {"file": path.name, **json.loads(match[1])} if match else {}
