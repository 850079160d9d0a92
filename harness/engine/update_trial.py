"""Whether a user's own parts that act in an update can take part in one, found out by trying."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.time_limit import limited
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.engine.user_code import in_words
from harness.probes.base import Probe
from harness.spec.arms import Run
from harness.spec.component import Component
from harness.spec.resolved import ResolvedRecipe


def try_update(recipe: ResolvedRecipe, probes: Iterable[Probe]) -> None:
    """Make one update with each of the user's own probes, or with none where another part is own or
    the pass is to be compiled; what is trained is thrown away.

    The harness's own parts are tested, and cost nothing here.

    Args:
        recipe: what is to be trained.
        probes: what is measured.

    Raises:
        HarnessError: a part fails, with its name and line, or does not come back.
    """
    short = recipe.with_values({"steps": 1, "eval_every": 1})
    if recipe.compile:  # without a limit: compiling large networks takes minutes
        with in_words("recipe.compile"):
            advance(start([Run(short, 0)], test=False))
    own = [part for part in (recipe.optimizer, *recipe.regularizers) if _is_own(part)]
    if own:
        _try(short, (), f"training with {', '.join(part.name for part in own)}")
    for probe in filter(_is_own, probes):
        _try(short, (probe,), f"probes: {probe.name}")


def _is_own(part: Component) -> bool:
    """Return whether a part is of the user's own class."""
    return not type(part).__module__.startswith("harness.")


def _try(recipe: ResolvedRecipe, probes: tuple[Probe, ...], part: str) -> None:
    with limited(part), in_words(part):
        advance(start([Run(recipe, 0, probes)], test=False))
