"""One recipe that stands for all trials of an arm."""

from __future__ import annotations

from harness.spec.recipe import Recipe
from harness.spec.resolved import ResolvedRecipe, resolve
from harness.spec.space import Choice, IntUniform, LogUniform, Range, Space


def representative(recipe: Recipe) -> ResolvedRecipe:
    """Return the recipe with the middle of each space in its place, for an arm not yet tuned.

    It stands for all of the arm's trials where one recipe is needed: to build, plan and forecast.

    Args:
        recipe: an arm's.

    Returns:
        The recipe itself where it holds no spaces.
    """
    spaces = recipe.spaces()
    if not spaces:
        return resolve(recipe)
    return resolve(recipe.with_values({path: _middle(space) for path, space in spaces.items()}))


def _middle(space: Space) -> object:
    """Return the middle of a space on its own scale; the first option of a choice.

    √(low · high) on a logarithmic scale, (low + high) / 2 on others, rounded down where whole
    numbers are searched.
    """
    if isinstance(space, Choice):
        return space.options[0]
    assert isinstance(space, Range)
    low, high = space.low, space.high
    if isinstance(space, LogUniform):
        return float((low * high) ** 0.5)
    return (low + high) // 2 if isinstance(space, IntUniform) else (low + high) / 2
