"""What colour, dash and panel mean in a study's figures: a factor each, where its factors cross.

Where they don't, colours tell arms apart, as long as there are few; of many, the best and those
that claims name have colours, and the rest is grey.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from harness.analysis.answer import Answer
from harness.report.style import DASHES, HUES, SYMBOLS, ArmStyle, assign_looks
from harness.spec.arms import Arm
from harness.spec.study import Study

FEW_ARMS = 8
"""Arms up to which one panel holds all of them."""
MOST_CURVE_PANELS = 12
BEST_SHOWN = 3
"""Of many arms, so many of the best have colours."""


class LevelKey(NamedTuple):
    """What a level of a factor looks like."""

    level: str
    look: ArmStyle
    arms: tuple[str, ...]
    """The arms that have the level."""


class FactorKey(NamedTuple):
    """What a factor is drawn by."""

    factor: str
    drawn_by: str
    """"colour", "line" or "panel"."""
    levels: tuple[LevelKey, ...]


class Coding(NamedTuple):
    """Which factor is drawn by what; "" where there is none."""

    colour: str
    dash: str
    panel: str


def code_factors(arms: Sequence[Arm]) -> Coding | None:
    """Return which factors colour, dash and panels stand for.

    The first factor of few enough levels is the colour. Of up to 8 arms the next one is the dash;
    of more, the one with the most levels makes panels, and the third is the dash.

    Args:
        arms: of the study, with their levels.

    Returns:
        None where fewer than two factors cross, or three ways of drawing do not suffice.
    """
    levels = _levels_by_factor(arms)
    factors = [factor for factor, own in levels.items() if len(own) > 1]
    hues = [factor for factor in factors if len(levels[factor]) <= len(HUES)]
    if len(factors) < 2 or not hues:
        return None
    rest = [factor for factor in factors if factor != hues[0]]
    panel = ""
    if len(arms) > FEW_ARMS or len(levels[rest[0]]) > len(DASHES):
        panel = max(rest, key=lambda factor: len(levels[factor]))
        rest.remove(panel)
    if len(rest) > 1 or (panel and len(levels[panel]) > MOST_CURVE_PANELS):
        return None
    if rest and len(levels[rest[0]]) > len(DASHES):
        return None
    return Coding(hues[0], rest[0] if rest else "", panel)


def _levels_by_factor(arms: Sequence[Arm]) -> dict[str, list[str]]:
    factors = dict.fromkeys(chain.from_iterable(arm.levels for arm in arms))
    return {
        factor: list(dict.fromkeys(arm.levels[factor] for arm in arms if factor in arm.levels))
        for factor in factors
    }


def looks_of(arms: Sequence[Arm], prominent: Sequence[str] = ()) -> dict[str, ArmStyle]:
    """Return how each arm of a study is drawn.

    Args:
        arms: of the study, with their levels.
        prominent: the arms that have colours where there are many and no factors cross.
    """
    coding = code_factors(arms)
    if coding is None:
        return assign_looks([arm.name for arm in arms], prominent)
    levels = _levels_by_factor(arms)
    return {arm.name: _coded(arm, coding, levels) for arm in arms}


def _coded(arm: Arm, coding: Coding, levels: dict[str, list[str]]) -> ArmStyle:
    hue = levels[coding.colour].index(arm.levels[coding.colour])
    turn = levels[coding.dash].index(arm.levels[coding.dash]) if coding.dash else 0
    panel = arm.levels[coding.panel] if coding.panel else ""
    own = [arm.levels[factor] for factor in (coding.colour, coding.dash) if factor]
    return ArmStyle(HUES[hue], DASHES[turn], SYMBOLS[turn], panel, " / ".join(own))


def factor_keys(arms: Sequence[Arm], looks: Mapping[str, ArmStyle]) -> tuple[FactorKey, ...]:
    """Return what colours, dashes and panels mean; nothing where arms have looks of their own.

    Args:
        arms: of the study, with their levels.
        looks: how each is drawn.
    """
    coding = code_factors(arms)
    if coding is None:
        return ()
    drawn = (("colour", coding.colour), ("line", coding.dash), ("panel", coding.panel))
    return tuple(
        FactorKey(
            factor,
            way,
            tuple(
                _level_key(arms, looks, factor, level, way)
                for level in _levels_by_factor(arms)[factor]
            ),
        )
        for way, factor in drawn
        if factor
    )


def _level_key(
    arms: Sequence[Arm], looks: Mapping[str, ArmStyle], factor: str, level: str, way: str
) -> LevelKey:
    names = tuple(arm.name for arm in arms if arm.levels[factor] == level)
    look = looks[names[0]]
    # a level's own mark shows nothing of the other factors
    shown = look._replace(dash="solid") if way == "colour" else look._replace(colour="currentColor")
    return LevelKey(level, shown, names)


def prominent_arms(study: Study, answer: Answer) -> list[str]:
    """Return the arms that a reader looks for: the best ones, and those that claims name.

    Args:
        study: has the claims.
        answer: has the ranking.
    """
    best = [place.arm for place in answer.ranking[:BEST_SHOWN]] if answer.ranked else []
    named = [arm for claim in study.claims for arm in claim.arms]
    return list(dict.fromkeys([*best, *named]))
