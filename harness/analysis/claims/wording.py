"""What a verdict speaks of, in words: the method or frozen recipes, and how many runs say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from harness.analysis.quantities import (
    Quantity,
    quantity_of,
    quantity_of_effect,
    quantity_of_time,
    say,
    say_given,
)
from harness.analysis.results import Results
from harness.core.metric_names import Declared, describe
from harness.spec.claims import Claim
from harness.spec.looks import Look
from harness.stats import Evidence, Spread, Success


class Words(NamedTuple):
    """How a claim's evidence is written."""

    metric: str
    """The metric's label."""
    values: Quantity
    """How the metric's values are written."""
    effects: Quantity
    """How the claim's effect, and what it is compared with, are written."""

    @classmethod
    def of(cls, results: Results, claim: Claim) -> Words:
        """Return how the evidence on a study's claim is written."""
        declared = results.study.recipe.declared
        if claim.goal is not None:
            values = quantity_of_time(claim.goal)
        else:
            values = quantity_of(claim.on, declared)
        label = describe(claim.on, declared).label
        return cls(label, values, quantity_of_effect(claim, declared))

    def effect(self, evidence: Evidence) -> str:
        """Return the effect that was found, with its interval."""
        return say(evidence.effect, self.effects)

    def given(self, value: float) -> str:
        """Return what the claim compares its effect with."""
        return say_given(value, self.effects)


def describe_basis(results: Results, claim: Claim, look: Look, level: float) -> str:
    """Return whom a verdict holds for, over which runs, and what its interval covers.

    Args:
        results: the study's tables.
        claim: the claim.
        look: the runs that its evidence rests on.
        level: coverage of its interval.
    """
    return f"{_scope(results, claim, look)}; the interval holds with {100 * level:.3g} %"


def describe_spread(claim: Claim, evidence: Evidence) -> str:
    """Return the sentences after a claim's effect: how many runs ended well, where some did not,
    and what the search makes of the spread, where it can be told.

    Args:
        claim: the claim.
        evidence: what its runs say.
    """
    ended = _ended(claim, evidence.success) if evidence.success else ""
    return f"{ended}{_share(evidence.spread)}"


def _scope(results: Results, claim: Claim, look: Look) -> str:
    """Return whom the verdict holds for, and over how many runs."""
    study = results.study
    if study.search is None or not study.tuned:
        return f"over {look}"
    if study.scope_of(claim) == "method":
        return f"of the methods, tuned with {study.search.trials} trials each, over {look}"
    if len(look.searches) == 1:
        return f"of these frozen recipes (one search; another may freeze others), over {look}"
    return f"of the recipes that these searches froze, over {look}"


def _share(spread: Spread | None) -> str:
    """Return how much of the spread the search makes; nothing where it can't be told."""
    if spread is None or spread.searches + spread.seeds == 0:
        return ""
    mean, low, high = (100 * share for share in spread.share)
    return f" The search makes {mean:.0f} % [{low:.0f}, {high:.0f}] of the spread."


def _ended(claim: Claim, success: Success) -> str:
    """Return how many runs ended well, of the two arms or of the one that the claim is about."""
    if len(claim.arms) < 2:
        return f" {success.mine} of {success.runs} runs ended well."
    mine, other = claim.arms
    counts = f"{success.mine} of {success.runs} runs of {mine}, {success.other} of {other}"
    return f" Ended well: {counts}."


_NUMBERS_AFTER = {
    "margin": ("by more than", "by less than", ", by"),
    "value": ("is above", "is below"),
}
"""The words before the numbers of claims' sentences, by the field that holds the number."""


def claim_in_words(claim: Claim, declared: Declared) -> str:
    """Return a claim's sentence for people: the metric's label in the place of its recorded name,
    and numbers with their units.

    Args:
        claim: the claim.
        declared: what the study declares of metrics of its own.
    """
    label = describe(claim.on, declared).label
    said = str(claim).replace(claim.on, label)
    effects = quantity_of_effect(claim, declared)
    for field, words in _NUMBERS_AFTER.items():
        if hasattr(claim, field):
            said = _with_unit(said, getattr(claim, field), words, effects)
    if claim.goal is not None:  # a target is a value of the metric, not a time
        values = quantity_of(claim.goal.metric, declared)
        said = _with_unit(said, claim.goal.target, (label,), values)
    for factor in getattr(claim, "factor_names", ()):  # by recipe fields, or words
        said = said.replace(factor, factor.replace("_", " "))
    return said


def _with_unit(said: str, number: float, words: Sequence[str], quantity: Quantity) -> str:
    """Return a sentence with the number after some of these words as people write it."""
    for before in words:
        said = said.replace(f"{before} {number:g}", f"{before} {say_given(number, quantity)}", 1)
    return said
