"""``verification.html``: every row with its source, what was expected, and what was got."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core.whole_file import write_whole
from harness.report.template import asset, templates
from harness.verification.row import Checked, RowGroup


def write_page(
    checked: Sequence[tuple[RowGroup, Checked]], facts: Sequence[str], path: Path
) -> Path:
    """Write the page and return its path.

    Args:
        checked: rows with their groups, in the order of the groups.
        facts: what it was made by: versions and the code's commit.
        path: the file; its folder is made.
    """
    by_group: dict[str, tuple[RowGroup, list[Checked]]] = {}
    for group, row in checked:
        by_group.setdefault(group.name, (group, []))[1].append(row)
    rows = [row for _, row in checked]
    page = templates().get_template("verification.html")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(
        path,
        page.render(
            groups=list(by_group.values()),
            failed=[row for row in rows if not row.passed],
            total=len(rows),
            seconds=sum(row.seconds for row in rows),
            facts=facts,
            css=asset("page.css"),
        ),
    )
    return path
