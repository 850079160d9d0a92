"""Arms of several widths in the maximal update parametrization, and what must not go with them."""

from __future__ import annotations

from collections.abc import Mapping

from harness.models.gpt import GPT
from harness.spec.resolved import ResolvedRecipe
from harness.spec.space import value_of


def mistakes_of_heads(recipes: Mapping[str, ResolvedRecipe]) -> list[str]:
    """Return a mistake for language models in muP whose heads change with the width: scores are
    divided by what a head has of features, as if their number stayed.

    Args:
        recipes: by the names of the arms.

    Returns:
        One, or none: several numbers of heads at each width are a question of their own.
    """
    heads: dict[int, set[int]] = {}
    for recipe in recipes.values():
        if recipe.parametrization == "mup" and isinstance(recipe.model, GPT):
            width = value_of(recipe.model.width, "model.width")
            heads.setdefault(width, set()).add(recipe.model.heads)
    single = {width: min(own) for width, own in heads.items() if len(own) == 1}
    if len(single) < len(heads) or len(set(single.values())) < 2:
        return []
    got = ", ".join(f"{count} at width {width}" for width, count in sorted(single.items()))
    return [
        f"recipe.model.heads: expected as many heads at every width for 'mup', which grow with it,"
        f" got {got}; leave heads as they are"
    ]
