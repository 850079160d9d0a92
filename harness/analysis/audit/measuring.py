"""Checks of how things were measured: clocks, leaks, and ways of training."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis.audit.finding import Finding, first_of
from harness.analysis.results import Results

SPREAD = 1.3
"""Ratio of the median to the fastest of an arm's timings above which they were disturbed."""
LOAD = 1.5
"""Processes for each core, besides the timed one, above which a timing was taken on a busy
machine."""


def timings_under_load(results: Results) -> Iterator[Finding]:
    """Find clocks that were read while the machine did something else, as their scatter or the
    system's load says."""
    disturbed = [
        arm
        for arm, readings in results.clock.items()
        if any(reading.spread > SPREAD or reading.load > LOAD for reading in readings.values())
    ]
    if disturbed:
        yield Finding(
            "timings under load",
            f"the clock of {first_of(disturbed)} was read on a busy machine",
            "read seconds with care; run again on a quiet machine, or compare steps",
        )


def wall_times(results: Results) -> Iterator[Finding]:
    """Find claims that go by seconds of a user's own training loop, which has no calibrated
    clock."""
    timed = [claim for claim in results.study.claims if "seconds" in claim.model_dump().values()]
    own = [arm.name for arm in results.arms if arm.recipe.trainer is not None]
    if timed and own:
        yield Finding(
            "wall times",
            f"the seconds of {first_of(own)} are those of the runs themselves, several at a time",
            "read seconds with care, compare steps, or run again with --workers 1",
        )


def leaks(results: Results) -> Iterator[Finding]:
    """Find seeds or test data that the search has seen.

    The protocol refuses both; this looks at what was recorded, whoever recorded it.
    """
    shared = set(results.searched["seed"]) & set(results.confirmed["seed"])
    if shared:
        yield Finding(
            "leak",
            f"seeds {sorted(shared)} were used to tune and to confirm",
            "confirm with other seeds",
        )
    searched = results.searched
    columns = [str(column) for column in searched if str(column).startswith("test/")]
    seen = [column for column in columns if searched[column].notna().any()]
    if seen:
        yield Finding(
            "leak", f"search runs recorded {', '.join(seen)}", "tune on validation data only"
        )


def different_paths(results: Results) -> Iterator[Finding]:
    """Find arms that trained one by one while others trained in cohorts: their seconds of training
    can't be compared, and sums are rounded otherwise."""
    alone = {
        arm: winners[0].why
        for arm, winners in results.winners.items()
        if winners and not winners[0].batched
    }
    if alone and len(alone) < len(results.winners):
        why = "; ".join(sorted(set(alone.values())))
        yield Finding(
            "other path",
            f"trained one by one, not in cohorts: {first_of(list(alone))} ({why})",
            "the numbers are the same to rounding; compare steps, and seconds only by the clock",
        )
