"""From a study to arms, runs and the keys that name them."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from harness.errors import SpecError, nearest
from harness.spec.component import External
from harness.spec.probe import Probe
from harness.spec.recipe import Recipe
from harness.spec.study import Study, plain

ENGINE = "5"
"""Version of the numerics; raised whenever the same recipe and seed would give other numbers."""


class Arm(NamedTuple):
    """One combination of levels."""

    name: str
    levels: dict[str, str]
    """Level by factor."""
    recipe: Recipe
    """The recipe with this arm's levels put in; it may hold spaces."""


class Run(NamedTuple):
    """One training of one resolved recipe with one seed."""

    recipe: Recipe
    seed: int
    probes: tuple[Probe, ...] = ()

    def targets(self) -> tuple[object, ...]:
        """Return the objects outside the harness that the recipe's parts and the probes come from."""
        return *self.recipe.targets(), *(target for probe in self.probes for target in probe.targets())


def arms(study: Study) -> tuple[Arm, ...]:
    """Cross the factors' levels into arms; a study that compares nothing has the one arm "base"."""
    if not study.compare:
        return (Arm("base", {}, study.recipe),)
    crossed = itertools.product(*(levels.items() for levels in study.compare.values()))
    return tuple(_arm(study, dict(zip(study.compare, combination, strict=True))) for combination in crossed)


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
    raise PydanticCustomError("factor", "compare.{factor}: unknown field of the recipe: {hint}", hint)


def _apply(recipe: Recipe, values: dict[str, Any], levels: dict[str, str]) -> Recipe:
    where = "compare." + ".".join(f"{factor}.{level}" for factor, level in levels.items())
    if unknown := [path for path in values if path.partition(".")[0] not in Recipe.model_fields]:
        hint = {"where": where, "hint": nearest(unknown[0], Recipe.model_fields), "path": unknown[0]}
        raise PydanticCustomError("factor", "{where}: unknown field {path}: {hint}", hint)
    try:
        return recipe.with_values(values)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise PydanticCustomError("level", "{where}: {said}", {"where": where, "said": said}) from None
    except SpecError as error:
        raise PydanticCustomError("level", "{where}: {said}", {"where": where, "said": str(error)}) from None


def digest(value: Any) -> str:
    """Return the SHA-256 of a plain value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def run_key(run: Run, fingerprint: str, code: str) -> str:
    """Return the identity of a run: equal keys mean equal numbers.

    Args:
        run: resolved recipe and seed.
        fingerprint: hash of the data's arrays.
        code: hash of the user's or library's code that the recipe names.
    """
    probes = [probe.dump() for probe in run.probes]
    return digest([run.recipe.dump(), run.seed, fingerprint, code, ENGINE, *([probes] if probes else [])])


def shape_key(recipe: Recipe) -> str:
    """Return what runs must share to train in one cohort: the recipe less its numbers, schedule and update rule."""
    tree = recipe.dump()
    del tree["schedule"]
    if not isinstance(recipe.optimizer, External):
        del tree["optimizer"]
    for path in (path for path in recipe.numbers() if not path.startswith("optimizer.")):
        part, _, name = path.rpartition(".")
        node = tree if not part else _node(tree, part)
        node.pop(name, None)
    return digest(tree)


def _node(tree: dict[str, Any], path: str) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    found = tree[head] if not rest else next(item for item in tree[head] if item["name"] == rest)
    assert isinstance(found, dict)
    return found


def spec_hash(study: Study) -> str:
    """Return the hash of the whole study as asked."""
    return digest(study.dump())
