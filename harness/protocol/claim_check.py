"""Claims that no runs could answer, or all would answer alike: refused before anything trains."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise

from harness.core.metric_names import describe, is_share, why_impossible
from harness.core.metric_table import DERIVED
from harness.spec.claims import Claim
from harness.spec.claims.along_factor import AlongFactor
from harness.spec.study import Study

AT_THE_END = {"test", "best", "cost", *DERIVED}
"""First words of metrics that a run has once, at its end, and no curve of."""


def claim_mistakes(study: Study) -> Iterator[str]:
    """Yield what is wrong with a study's claims, each with its field, what was expected and got.

    A value that the metric can't have, or a margin as wide as all of its values (2, meant as
    percent, of an accuracy from 0 to 1), is answered alike by whatever runs; levels that are
    numbers out of order have no "next" that a reader would guess.

    Args:
        study: one whose claims fit its arms.
    """
    for position, claim in enumerate(study.claims):
        field = f"claims.{position}"
        yield from _impossible_values(field, claim, study)
        if isinstance(claim, AlongFactor):
            yield from _out_of_order(field, claim, study)


def unreachable_goals(study: Study) -> Iterator[str]:
    """Yield a mistake for each claim about the time to a value of what has no curve.

    Args:
        study: one that the harness trains; runs from elsewhere may have curves of anything.
    """
    for position, claim in enumerate(study.claims):
        if claim.goal is not None and claim.on.partition("/")[0] in AT_THE_END:
            yield (
                f"claims.{position}.on: expected a metric that is measured during training, such "
                f"as valid/loss, got {claim.on}, which a run has once, at its end"
            )


def _impossible_values(field: str, claim: Claim, study: Study) -> Iterator[str]:
    """Yield a mistake for a bound, a target or a margin that the metric has no room for.

    Args:
        field: the claim's.
        claim: the claim.
        study: says what is declared of metrics.
    """
    declared = study.recipe.declared
    for name in ("value", "target"):
        value = getattr(claim, name, None)
        if value is not None and (said := why_impossible(claim.on, value, declared)):
            yield f"{field}.{name}: {said}"
    # beside a target the margin is in the unit of time
    margin = getattr(claim, "margin", 0.0) if claim.goal is None else 0.0
    known = describe(claim.on, declared)
    if margin and margin >= known.most - known.least:
        percent = "; divide percent by 100" if is_share(claim.on, declared) else ""
        yield (
            f"{field}.margin: expected less than {known.most - known.least:g}, which no two "
            f"values of {claim.on} differ by, got {margin:g}{percent}"
        )


def _out_of_order(field: str, claim: AlongFactor, study: Study) -> Iterator[str]:
    """Yield a mistake for levels that are numbers and neither rise nor fall.

    Args:
        field: the claim's.
        claim: the claim.
        study: has the levels.
    """
    levels = study.compare[claim.factor]
    numbers = numeric_levels(levels)
    steps = [after > before for before, after in pairwise(numbers)]
    if any(steps) and not all(steps):
        yield (
            f"{field}.factor: expected the levels of {claim.factor} in order, since the claim is "
            f"about each and the next, got {', '.join(levels)}; list them from small to large"
        )


def descending(study: Study) -> Iterator[str]:
    """Yield a sentence for each claim along levels that are listed from large to small.

    Args:
        study: one whose claims are no mistakes.
    """
    for claim in study.claims:
        if not isinstance(claim, AlongFactor):
            continue
        numbers = numeric_levels(study.compare[claim.factor])
        if numbers and numbers[0] > numbers[-1]:
            first, *_, last = study.compare[claim.factor]
            yield f"{claim}: as its levels are listed, from {first} to {last}"


def numeric_levels(levels: Mapping[str, object]) -> list[float]:
    """Return a factor's levels, or else their names, as numbers; nothing where one is none.

    Args:
        levels: by name.

    >>> numeric_levels({"small": 8, "large": 32}), numeric_levels({"8": 8, "full": "full"})
    ([8.0, 32.0], [])
    """
    return _numbers(levels.values()) or _numbers(levels)


def _numbers(levels: Collection[object]) -> list[float]:
    """Return levels as numbers; nothing where one of them is none, as a truth value is."""
    if any(isinstance(level, bool) or not isinstance(level, (int, float, str)) for level in levels):
        return []
    try:
        return [float(level) for level in levels]  # type: ignore[arg-type]  # of these types alone
    except ValueError:
        return []
