"""The claims as a forest plot: effect, interval and verdict of each, on lines that share a zero.

It is drawn as plain SVG beside the claims' words, so that it stands on the first screen before any
script has run, on paper, and where no script may run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from harness.analysis.answer import Answer
from harness.analysis.claims import Tested
from harness.analysis.claims.wording import claim_in_words
from harness.analysis.quantities import Quantity, quantity_of_effect, say, say_given
from harness.core.metric_names import Declared
from harness.spec.claims import Claim
from harness.spec.claims.bound import Above, Bound
from harness.spec.claims.equal import Equal
from harness.spec.claims.no_worse import NoWorse

VERDICT_MARKS = {"supported": "●", "opposite": "✕", "smaller than claimed": "◐"}
"""A mark for each verdict, so that it is not told by colour alone; ○ for the others."""
ROOM = 0.92
"""Share of half a line that the largest distance from zero takes."""
FAR = 12.0
"""Times the middle distance of its group from which an interval's end is cut off, with an arrow:
one wide interval must not squeeze the others into a dot."""


class Line(NamedTuple):
    """Where things stand on a claim's line, from −1 to 1: 0 is no effect, right is in favour."""

    mean: float
    low: float
    high: float
    beyond: bool
    """Whether the mean itself lies further out than is drawn: an arrow stands for it."""
    cut_low: bool
    """Whether the lower end lies further out than is drawn."""
    cut_high: bool
    bounds: tuple[float, ...]
    """What the effect is compared with, where that is not zero: margins."""


class ForestRow(NamedTuple):
    """A claim as the page shows it."""

    verdict: str
    mark: str
    claim: str
    """Its sentence, with labels for people."""
    raw: str
    """The same by the recorded names."""
    effect: str
    detail: str
    """Its evidence in words."""
    line: Line | None
    """None where no effect can be drawn."""
    zero: str
    """What stands in the middle, of a claim about one arm's value."""


class _Scaled(NamedTuple):
    """A claim's effect as a distance in favour of the claim."""

    mean: float
    low: float
    high: float
    bounds: tuple[float, ...]


def forest_of(answer: Answer, declared: Declared) -> list[ForestRow]:
    """Return a row for each claim, in the study's order.

    Claims whose effects have one unit and metric share a scale.

    Args:
        answer: has the claims with their verdicts.
        declared: what the study declares of metrics of its own.
    """
    scaled = [_in_favour(tested) for tested in answer.claims]
    groups: dict[tuple[str, ...], list[_Scaled]] = {}
    for tested, own in zip(answer.claims, scaled, strict=True):
        if own is not None:
            groups.setdefault(_group(tested.claim), []).append(own)
    reach = {group: _reach(members) for group, members in groups.items()}
    return [
        _row(tested, own, reach.get(_group(tested.claim), 0.0), declared)
        for tested, own in zip(answer.claims, scaled, strict=True)
    ]


def _row(tested: Tested, own: _Scaled | None, reach: float, declared: Declared) -> ForestRow:
    claim, verdict = tested.claim, tested.verdict
    quantity = quantity_of_effect(claim, declared)
    raw = str(claim)
    return ForestRow(
        verdict.verdict,
        VERDICT_MARKS.get(verdict.verdict, "○"),
        claim_in_words(claim, declared),
        raw,
        say(verdict.effect, quantity),
        tested.sentence.removeprefix(raw).lstrip(". "),
        _line(own, reach) if own is not None and reach > 0 else None,
        _middle(claim, quantity),
    )


def _middle(claim: Claim, quantity: Quantity) -> str:
    """Return what the middle of a claim's line stands for, if that is not zero."""
    if not isinstance(claim, Bound):
        return ""
    return say_given(claim.value, quantity)


def _in_favour(tested: Tested) -> _Scaled | None:
    """Return a claim's effect turned so that more is in its favour; None for one that is not a
    number."""
    claim, effect = tested.claim, tested.verdict.effect
    if not math.isfinite(effect.mean):
        return None
    if isinstance(claim, Bound):
        sign = 1 if isinstance(claim, Above) else -1
        low, high = sorted(sign * (bound - claim.value) for bound in (effect.low, effect.high))
        return _Scaled(sign * (effect.mean - claim.value), low, high, ())
    return _Scaled(effect.mean, effect.low, effect.high, _bounds(claim))


def _bounds(claim: Claim) -> tuple[float, ...]:
    """Return what a claim's effect is compared with, where that is not zero."""
    if isinstance(claim, Equal):
        return (-claim.margin, claim.margin)
    if isinstance(claim, NoWorse):
        return (-claim.margin,)
    margin = getattr(claim, "margin", 0.0) or getattr(claim, "share", 0.0)
    return (margin,) if margin else ()


def _group(claim: Claim) -> tuple[str, ...]:
    """Return what claims share whose effects have one scale; those about values have their own."""
    goal = claim.goal
    if isinstance(claim, Bound):
        return ("bound", claim.arm, claim.on, str(claim.value))
    return (goal.unit, goal.metric) if goal else (_sort(claim), claim.on)


def _sort(claim: Claim) -> str:
    """Return the sort of a claim's effect: differences of a metric are of one sort."""
    return claim.kind if claim.kind in ("cured", "interaction", "trend") else "difference"


def _reach(members: Sequence[_Scaled]) -> float:
    """Return the distance from zero that is drawn at the ends of the lines."""
    finite = [
        max(abs(v) for v in (own.mean, own.low, own.high, *own.bounds) if math.isfinite(v))
        for own in members
    ]
    middle = sorted(finite)[(len(finite) - 1) // 2]
    return min(max(finite), FAR * middle) if middle > 0 else max(finite)


def _line(own: _Scaled, reach: float) -> Line:
    def at(value: float) -> float:
        return max(-1.0, min(1.0, ROOM * value / reach))

    cut = reach / ROOM
    return Line(
        at(own.mean),
        at(own.low),
        at(own.high),
        abs(own.mean) > cut,
        own.low < -cut,
        own.high > cut,
        tuple(at(bound) for bound in own.bounds),
    )
