"""A recipe's groups of parameters: which parameters they are, and their numbers as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import torch
from torch import Tensor

from harness.core.errors import HarnessError, nearest
from harness.core.parameter_layout import Layout
from harness.core.parameter_numbers import GroupNumbers
from harness.engine.parametrization import Scalings
from harness.optimizers.base import Optimizer
from harness.regularizers.decay import WeightDecay
from harness.regularizers.penalty import L2
from harness.spec.component import External, as_a
from harness.spec.group import Group
from harness.spec.resolved import ResolvedRecipe


def group_members(layout: Layout, groups: Mapping[str, Group]) -> dict[str, list[str]]:
    """Return the names of the parameters that each group's pattern fits.

    Args:
        layout: the parameters that are trained.
        groups: by pattern, in which ``*`` stands for any letters, dots too.

    Raises:
        HarnessError: a pattern fits no parameter, or a parameter is in two groups.

    >>> from harness.core.parameter_layout import layout_of
    >>> layout = layout_of({"out.weight": (2, 2), "out.bias": (2,)})
    >>> group_members(layout, {"*.bias": Group(lr=0.1)})
    {'*.bias': ['out.bias']}
    """
    members: dict[str, list[str]] = {}
    taken: dict[str, str] = {}
    for pattern in groups:
        members[pattern] = [name for name in layout.slots if fnmatchcase(name, pattern)]
        if not members[pattern]:
            raise HarnessError(
                f"recipe.groups: expected patterns over the names of parameters, got {pattern!r},"
                f" which fits none of {', '.join(layout.slots)}; {nearest(pattern, layout.slots)}"
            )
        for name in members[pattern]:
            if name in taken:
                raise HarnessError(
                    f"recipe.groups: expected each parameter in one group, got {name} in"
                    f" {taken[name]!r} and {pattern!r}; make one of the patterns narrower"
                )
            taken[name] = pattern
    return members


def group_numbers(
    layout: Layout,
    recipes: Sequence[ResolvedRecipe],
    device: torch.device,
    dtype: torch.dtype,
    scalings: Scalings,
) -> GroupNumbers:
    """Return what the recipes' groups and parametrization say of each weight, a row a member.

    Args:
        layout: where each parameter lies in a row.
        recipes: the members', in the order of the rows; their patterns are the same.
        device: where the numbers are wanted.
        dtype: of the weights.
        scalings: the parametrization's factors, by parameter.

    Raises:
        HarnessError: a pattern fits no parameter, or a parameter is in two groups.
    """
    if not recipes or not (recipes[0].groups or scalings):
        return GroupNumbers()
    # a number a parameter, N, spread over its weights at the end
    place = {name: number for number, name in enumerate(layout.slots)}
    width_KN = _width_factors(layout, recipes, scalings)
    lr_KN, decay_KN = width_KN.clone(), torch.full_like(width_KN, torch.nan)
    for pattern, names in group_members(layout, recipes[0].groups).items():
        for row, recipe in enumerate(recipes):
            numbers = recipe.groups[pattern].numbers()
            for name in names:
                lr_KN[row, place[name]] *= numbers["lr"]
                decay_KN[row, place[name]] = numbers.get("weight_decay", torch.nan)

    def spread(values_KN: Tensor, between: float) -> Tensor:
        cut_KM = torch.full((len(recipes), len(layout.cuts)), between, dtype=torch.float64)
        cut_KM[:, ::2] = values_KN
        sizes_M = torch.tensor(layout.cuts, device=device)
        return cut_KM.to(device, dtype).repeat_interleave(sizes_M, 1, output_size=layout.width)

    return GroupNumbers(
        spread(lr_KN, 1.0) if bool((lr_KN != 1).any()) else None,
        None if bool(decay_KN.isnan().all()) else spread(decay_KN, torch.nan),
        spread(width_KN, 1.0) if bool((width_KN != 1).any()) else None,
    )


def _width_factors(layout: Layout, recipes: Sequence[ResolvedRecipe], scalings: Scalings) -> Tensor:
    """Return the parametrization's factors on the learning rate by parameter, (K, N)."""
    factors_KN = torch.ones(len(recipes), len(layout.slots), dtype=torch.float64)
    if scalings:
        for row, recipe in enumerate(recipes):
            rule = as_a(Optimizer, recipe.optimizer).update_rule
            # one without a rule has been refused
            assert rule is not None
            factors = [scalings[name].rates[rule] for name in layout.slots]
            factors_KN[row] = torch.tensor(factors, dtype=torch.float64)
    return factors_KN


def check_groups(recipe: ResolvedRecipe, layout: Layout) -> None:
    """Refuse groups of parameters that would do nothing.

    Args:
        recipe: with an optimizer of the engine's, or another library's, of which it shows when it
            is made whether it decays.
        layout: the parameters that are trained.

    Raises:
        HarnessError: a pattern fits no parameter, a parameter is in two groups, or a decay is given
            where nothing decays.
    """
    group_members(layout, recipe.groups)
    if not isinstance(recipe.optimizer, External):
        check_decays(recipe, "weight_decay" in recipe.optimizer.numbers())


def check_decays(recipe: ResolvedRecipe, optimizer_decays: bool) -> None:
    """Refuse groups with a decay where there is none that it could take the place of.

    Args:
        recipe: with regularizers, some of which may decay.
        optimizer_decays: whether the optimizer has a decay of its own.

    Raises:
        HarnessError: neither the optimizer nor a regularizer decays.
    """
    given = [pattern for pattern, group in recipe.groups.items() if group.weight_decay]
    penalised = any(isinstance(part, (WeightDecay, L2)) for part in recipe.regularizers)
    if given and not (optimizer_decays or penalised):
        raise HarnessError(
            f"recipe.groups: a weight_decay, as of {given[0]!r}, takes the place of the optimizer's"
            f" or of a regularizer's; expected an optimizer with a weight_decay, or WeightDecay or"
            f" L2 among the regularizers, got {recipe.optimizer.name} alone; add WeightDecay"
        )
