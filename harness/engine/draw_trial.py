"""Whether a user's own parts draw from the global generators, found out by trying."""

from __future__ import annotations

from harness.core.time_limit import limited
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.engine.own_draws import STREAMED, SharedDrawsError
from harness.spec.arms import Run, has_own_code
from harness.spec.keys import shape_key
from harness.spec.resolved import ResolvedRecipe

_KNOWN: dict[str, bool] = {}
"""By shape: runs of one shape have the same code."""


def draws_in_updates(recipe: ResolvedRecipe) -> bool:
    """Return whether an update or evaluation of a recipe draws from a global generator, found out
    by one of two runs.

    Args:
        recipe: what it can't do otherwise is told where the plan tries it.
    """
    if not has_own_code(Run(recipe, 0), STREAMED):
        return False
    shape = shape_key(recipe)
    if shape not in _KNOWN:
        _KNOWN[shape] = _draws(recipe)
    return _KNOWN[shape]


def _draws(recipe: ResolvedRecipe) -> bool:
    short = recipe.with_values({"steps": 1, "eval_every": 1})
    try:
        with limited("training"):
            advance(start([Run(short, 0), Run(short, 1)], test=False))
    except SharedDrawsError:
        return True
    # what can't train together, or not at all, is another matter
    except Exception:
        return False
    return False
