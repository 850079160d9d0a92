"""The searches and seeds that imported runs are given, so that comparable runs of arms are paired.

Runs of two arms are paired where the table says that they belong together: by the same search and
the same seed. Runs without anything in common are paired in their order: of independent runs any
pairs that were chosen without looking at values are independent differences, so that their t-test
holds its level.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations
from typing import NamedTuple

from harness.protocol.imported.tidy import ForeignRun
from harness.spec.looks import SEARCH_SEED

SHARED = 0.5
"""Share of the smaller arm's searches and seeds that two arms must have in common to be paired by
them."""


class Placed(NamedTuple):
    """Runs with the harness's numbers of their searches and seeds."""

    places: list[tuple[int, int]]
    """(search, seed within its block) of each run."""
    searches: int
    seeds: tuple[int, ...]
    """All seeds that any run has, rising."""
    paired: bool
    """Whether runs are paired by what the table says, and not by their order."""


def place_runs(runs: Sequence[ForeignRun]) -> Placed:
    """Number the searches and seeds of imported runs.

    Whole numbers that the harness can use as confirm seeds stay as they are.

    Args:
        runs: of all arms.
    """
    by_arm: dict[str, list[tuple[Hashable, Hashable]]] = {}
    for run in runs:
        by_arm.setdefault(run.arm, []).append((run.search, run.seed))
    paired = all(
        len({*one} & {*other}) >= SHARED * min(len(one), len(other))
        for one, other in combinations(by_arm.values(), 2)
    )
    labels = [(run.search, run.seed) for run in runs] if paired else _in_order(runs)
    searches = {label: i for i, label in enumerate(_sorted({k for k, _ in labels}))}
    seeds = _numbers({seed for _, seed in labels})
    places = [(searches[k], seeds[seed]) for k, seed in labels]
    return Placed(places, len(searches), tuple(sorted(set(seeds.values()))), paired)


def _in_order(runs: Sequence[ForeignRun]) -> list[tuple[Hashable, Hashable]]:
    """Return the numbers of each run's search within its arm, and of the run within that."""
    searches: dict[str, dict[Hashable, int]] = {}
    counts: dict[tuple[str, Hashable], int] = {}
    labels: list[tuple[Hashable, Hashable]] = []
    for run in runs:
        own = searches.setdefault(run.arm, {})
        search = own.setdefault(run.search, len(own))
        number = counts.get((run.arm, run.search), 0)
        counts[run.arm, run.search] = number + 1
        labels.append((search, number))
    return labels


def _numbers(labels: set[Hashable]) -> dict[Hashable, int]:
    """Return the confirm seed of each label: itself where it can be one, or else its number."""
    if all(isinstance(label, int) and 0 <= label < SEARCH_SEED for label in labels):
        return {label: int(str(label)) for label in labels}
    return {label: i for i, label in enumerate(_sorted(labels))}


def _sorted(labels: set[Hashable]) -> list[Hashable]:
    """Return labels in their order: numbers by size before texts."""

    def order(label: Hashable) -> tuple[bool, float, str]:
        number = isinstance(label, (int, float))
        return not number, float(str(label)) if number else 0.0, str(label)

    return sorted(labels, key=order)
