"""A recipe's groups of parameters as another library's optimizer is given them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from torch.nn import Parameter

from harness.core.errors import HarnessError
from harness.core.parameter_layout import Layout
from harness.engine.parameter_groups import check_decays, group_members
from harness.spec.resolved import ResolvedRecipe


class Handed(NamedTuple):
    """What an optimizer is made over."""

    parameters: list[Parameter] | list[dict[str, object]]
    """The parameters, or torch's parameter groups of them."""
    factors: list[float]
    """The recipe's factors on the learning rate of each group; empty without groups."""


def handed_parameters(
    recipe: ResolvedRecipe, layout: Layout, parameters: list[Parameter]
) -> Handed:
    """Return the parameters in groups, those of no pattern first.

    Args:
        recipe: its patterns fit the parameters' names.
        layout: the parameters' names.
        parameters: in the layout's order.
    """
    if not recipe.groups:
        return Handed(parameters, [])
    rest = dict(zip(layout.slots, parameters, strict=True))
    groups: list[dict[str, object]] = []
    factors = []
    for pattern, names in group_members(layout, recipe.groups).items():
        numbers = recipe.groups[pattern].numbers()
        factors.append(numbers.pop("lr"))
        groups.append({"params": [rest.pop(name) for name in names], **numbers})
    if rest:
        groups, factors = [{"params": list(rest.values())}, *groups], [1.0, *factors]
    return Handed(groups, factors)


def check_kept(
    recipe: ResolvedRecipe, handed: Handed, made: object, groups: Sequence[object]
) -> None:
    """Refuse an optimizer that does not go by the groups that it was given.

    Args:
        recipe: names the optimizer.
        handed: what it was given.
        made: the optimizer.
        groups: those that it has.

    Raises:
        HarnessError: it has other groups, or no decay where the recipe's groups give one.
    """
    if not recipe.groups:
        return
    if len(groups) != len(handed.factors):
        raise HarnessError(
            f"recipe.groups: expected {recipe.optimizer.name} to keep the"
            f" {len(handed.factors)} groups of parameters that it is given, got {len(groups)};"
            " leave recipe.groups out where it makes its own"
        )
    check_decays(recipe, "weight_decay" in getattr(made, "defaults", {}))
