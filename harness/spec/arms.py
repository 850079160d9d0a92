"""From a study to its arms and runs."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from harness.core.errors import SpecError, nearest
from harness.spec.component import Component
from harness.spec.recipe import Recipe
from harness.spec.resolved import ResolvedRecipe, resolve
from harness.spec.study import Study, plain


class Arm(NamedTuple):
    """One combination of levels."""

    name: str
    levels: dict[str, str]
    """Level by factor."""
    recipe: Recipe
    """The recipe with this arm's levels put in; it may hold spaces."""


class Run(NamedTuple):
    """One training of one resolved recipe with one seed."""

    recipe: ResolvedRecipe
    seed: int
    probes: tuple[Component, ...] = ()

    @classmethod
    def of(cls, recipe: Recipe, seed: int, probes: tuple[Component, ...] = ()) -> Run:
        """Return the run of a recipe that holds no spaces."""
        return cls(resolve(recipe), seed, probes)

    def targets(self) -> tuple[object, ...]:
        """Return the objects outside the harness that the recipe's parts and the probes come from."""
        return targets_of(self.recipe, self.probes)


def targets_of(recipe: Recipe, probes: tuple[Component, ...]) -> tuple[object, ...]:
    """Return the objects outside the harness that a recipe's parts and some probes come from."""
    return *recipe.targets(), *(target for probe in probes for target in probe.targets())


def arms(study: Study) -> tuple[Arm, ...]:
    """Cross the factors' levels into arms; a study that compares nothing has the one arm "base"."""
    if not study.compare:
        return (Arm("base", {}, study.recipe),)
    crossed = itertools.product(*(levels.items() for levels in study.compare.values()))
    return tuple(
        _arm(study, dict(zip(study.compare, combination, strict=True))) for combination in crossed
    )


def _arm(study: Study, chosen: dict[str, tuple[str, Any]]) -> Arm:
    levels = {factor: name for factor, (name, _) in chosen.items()}
    values: dict[str, Any] = {}
    for factor, (name, value) in chosen.items():
        values |= _fields(factor, name, value)
    return Arm(" / ".join(levels.values()), levels, _apply(study.recipe, values, levels))


def _fields(factor: str, level: str, value: Any) -> dict[str, Any]:
    if factor.partition(".")[0] in Recipe.model_fields:
        return {factor: plain(value)}
    if isinstance(value, Mapping):
        return {path: plain(v) for path, v in value.items()}
    hint = {"factor": factor, "level": level, "hint": nearest(factor, Recipe.model_fields)}
    raise PydanticCustomError(
        "factor", "compare.{factor}: unknown field of the recipe: {hint}", hint
    )


def _apply(recipe: Recipe, values: dict[str, Any], levels: dict[str, str]) -> Recipe:
    where = "compare." + ".".join(f"{factor}.{level}" for factor, level in levels.items())
    if unknown := [path for path in values if path.partition(".")[0] not in Recipe.model_fields]:
        hint = {
            "where": where,
            "hint": nearest(unknown[0], Recipe.model_fields),
            "path": unknown[0],
        }
        raise PydanticCustomError("factor", "{where}: unknown field {path}: {hint}", hint)
    try:
        return recipe.with_values(values)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise PydanticCustomError(
            "level", "{where}: {said}", {"where": where, "said": said}
        ) from None
    except SpecError as error:
        raise PydanticCustomError(
            "level", "{where}: {said}", {"where": where, "said": str(error)}
        ) from None
