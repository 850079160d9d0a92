"""All rows: a new one goes into its group's file."""

from __future__ import annotations

from collections.abc import Iterator

from harness.core.errors import HarnessError, did_you_mean
from harness.verification.batch_jumps import BATCH_JUMPS
from harness.verification.deepobs import DEEPOBS
from harness.verification.edge import EDGE_OF_STABILITY
from harness.verification.equivalences import EQUIVALENCES
from harness.verification.mnist1d import MNIST_1D
from harness.verification.noise import NOISE
from harness.verification.quadratics import QUADRATICS
from harness.verification.row import Checked, RowGroup, check_row
from harness.verification.statistics import STATISTICS
from harness.verification.vanishing import VANISHING

GROUPS = (
    MNIST_1D,
    DEEPOBS,
    EDGE_OF_STABILITY,
    QUADRATICS,
    EQUIVALENCES,
    NOISE,
    BATCH_JUMPS,
    STATISTICS,
    VANISHING,
)


def choose_rows(only: str | None = None) -> tuple[RowGroup, ...]:
    """Return the groups whose name, or whose rows' names, hold a text; all of them without one.

    Args:
        only: text in the name of a group, for all of its rows, or of rows; case does not count.

    Raises:
        HarnessError: no row has it.
    """
    wanted = (only or "").lower()
    chosen = []
    for group in GROUPS:
        rows = (
            group.rows
            if wanted in group.name
            else tuple(row for row in group.rows if wanted in row.name.lower())
        )
        if rows:
            chosen.append(group._replace(rows=rows))
    if not chosen:
        names = [group.name for group in GROUPS]
        meant = did_you_mean(
            wanted, [*names, *(row.name for group in GROUPS for row in group.rows)]
        )
        raise HarnessError(
            f"--only: expected a part of a row's name, or one of {', '.join(names)}; got {only!r}"
            f"{'; ' * bool(meant)}{meant}"
        )
    return tuple(chosen)


def check_rows(groups: tuple[RowGroup, ...]) -> Iterator[tuple[RowGroup, Checked]]:
    """Yield each row's group, and what came of it, as it is done."""
    for group in groups:
        for row in group.rows:
            yield group, check_row(row)
