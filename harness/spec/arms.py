"""Arms and runs: the combinations of levels that a study compares, and one training of one
recipe.

A study builds its arms when it is made, to check every level; the protocol, the plan, the audit and
the report build them again from the stored spec. An arm is known by its name everywhere else.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, Protocol

from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from harness.core.errors import HarnessError, SpecError, nearest
from harness.spec.component import Component
from harness.spec.error_words import mistake_in_words
from harness.spec.levels import Level, plain_level
from harness.spec.recipe import Recipe
from harness.spec.resolved import ResolvedRecipe, resolve
from harness.spec.search import Search


class Arm(NamedTuple):
    """One combination of levels."""

    name: str
    """The names of its levels, as ``"Adam / 64"``; "base" where nothing is compared."""
    levels: dict[str, str]
    """Level by factor."""
    recipe: Recipe
    """The recipe with this arm's levels put in; it may hold spaces."""


class Run(NamedTuple):
    """One training of one resolved recipe with one seed."""

    recipe: ResolvedRecipe
    seed: int
    """Names all of the run's random streams: weights, order of the data, dropout."""
    probes: tuple[Component, ...] = ()
    """What is measured; part of the run's key, since a run without them lacks their curves."""

    @classmethod
    def of(cls, recipe: Recipe, seed: int, probes: tuple[Component, ...] = ()) -> Run:
        """Return the run of a recipe that holds no spaces.

        Args:
            recipe: what to train.
            seed: names all of the run's random streams.
            probes: what to measure while training.

        Raises:
            ValidationError: the recipe holds spaces.
        """
        return cls(resolve(recipe), seed, probes)

    def targets(self) -> tuple[object, ...]:
        """Return the classes and functions outside the harness that the recipe's parts and the
        probes come from.

        Their code goes into the run's key (:mod:`harness.spec.source_code`).
        """
        return targets_of(self.recipe, self.probes)


def has_own_code(run: Run, apart: Collection[str] = ()) -> bool:
    """Return whether any part is of a user's, or of a library's other than torch.

    Args:
        run: its recipe and probes are asked.
        apart: fields of the recipe that do not count.
    """
    parts = [part for path, part in run.recipe.parts() if path not in apart]
    named = [name for part in (*parts, *run.recipe.metrics, *run.probes) for name in part.objects()]
    return any(not name.startswith("torch.") for name in named)


def targets_of(recipe: Recipe, probes: tuple[Component, ...]) -> tuple[object, ...]:
    """Return the classes and functions outside the harness that parts and probes come from.

    Args:
        recipe: its parts are asked; it may hold spaces.
        probes: what is measured beside it.

    Returns:
        The targets in the order of the parts, the same one twice where two parts come from it;
        empty where all is the harness's own.
    """
    return *recipe.targets(), *(target for probe in probes for target in probe.targets())


class Comparison(Protocol):
    """What arms are built from: a study, which itself builds its arms to check them."""

    @property
    def recipe(self) -> Recipe:
        """What all arms share."""

    @property
    def compare(self) -> Mapping[str, Mapping[str, Level]]:
        """Levels by name, by factor."""


def build_arms(study: Comparison) -> tuple[Arm, ...]:
    """Cross the factors' levels into arms; a study that compares nothing has the one arm "base".

    Args:
        study: its levels must have been parsed (:func:`harness.spec.levels.parse_levels`).

    Returns:
        The arms in the order of the levels, the last factor changing fastest. Two arms may hold
        equal recipes: both keep their names, and their runs have the same keys.

    Raises:
        PydanticCustomError: a factor or a level does not fit the recipe, or two arms have one name;
            the message says where.
    """
    if not study.compare:
        return (Arm("base", {}, study.recipe),)
    crossed = itertools.product(*(levels.items() for levels in study.compare.values()))
    arms = tuple(
        _build_arm(study.recipe, dict(zip(study.compare, combination, strict=True)))
        for combination in crossed
    )
    _refuse_equal_names(arms)
    return arms


def _refuse_equal_names(arms: Iterable[Arm]) -> None:
    """Refuse two arms of one name, as "a / b" × "c" and "a" × "b / c" have: runs, tables and claims
    know an arm by its name alone. Blanks do not set names apart, since pages run them together."""
    known: dict[str, Arm] = {}
    for arm in arms:
        other = known.setdefault(" ".join(arm.name.split()), arm)
        if other is not arm:
            pairs = {"name": arm.name, "one": _levels_of(other), "two": _levels_of(arm)}
            raise PydanticCustomError(
                "level",
                "compare: expected a name of its own for each arm, got '{name}' for ({one}) and "
                "for ({two}); give one of these levels another name",
                pairs,
            )


def _levels_of(arm: Arm) -> str:
    """Return an arm's levels with their factors, for an error.

    >>> _levels_of(Arm("a / b", {"size": "a", "rate": "b"}, ...))
    "size: 'a', rate: 'b'"
    """
    return ", ".join(f"{factor}: {level!r}" for factor, level in arm.levels.items())


class SearchedComparison(Comparison, Protocol):
    """A study with what its searches do."""

    @property
    def search(self) -> Search | None:
        """How arms are tuned."""


def known_arm(name: str, arms: Collection[str], where: str = "") -> str:
    """Return the name of an arm, if there is one of that name.

    Args:
        name: what somebody asked for.
        arms: the names that there are.
        where: the option or field that holds it, with a colon, for the error.

    Raises:
        HarnessError: there is none; the message has the nearest name.
    """
    if name not in arms:
        raise HarnessError(f"{where}unknown arm {name!r}; {nearest(name, arms)}")
    return name


def arms_of_search(study: SearchedComparison, search: int) -> tuple[Arm, ...]:
    """Return the arms as one of the study's searches tunes and confirms them: on its own split.

    Args:
        study: the study.
        search: number of the search, from 0; the first of master seed 0 has the arms as they are.

    Returns:
        The arms of :func:`build_arms`, whose data have their split raised by the search's.
    """
    arms = build_arms(study)
    added = study.search.split(search) if study.search is not None else 0
    if not added:
        return arms
    return tuple(arm._replace(recipe=_on_split(arm.recipe, added)) for arm in arms)


def _on_split(recipe: Recipe, added: int) -> Recipe:
    """Return the recipe on another split of its data: so many numbers on from its own."""
    plain = recipe.data.dump()
    own = plain.get("split", 0)
    assert isinstance(own, int), "splits are numbered"
    # whole, since data that are left to a trainer of a user's own are not in the plain form
    return recipe.with_values({"data": plain | {"split": own + added}})


def _build_arm(recipe: Recipe, chosen: Mapping[str, tuple[str, Level]]) -> Arm:
    """Build the arm of one combination of levels: the name and the value of a level, by factor."""
    levels = {factor: name for factor, (name, _) in chosen.items()}
    values: dict[str, object] = {}
    # In the study's order: where two factors set the same field, the later one counts.
    for factor, (name, value) in chosen.items():
        values |= _fields_set(factor, name, value)
    return Arm(" / ".join(levels.values()), levels, _put_in(recipe, values, levels))


def _fields_set(factor: str, level: str, value: Level) -> dict[str, object]:
    """Return the fields of the recipe that a level sets, by path.

    A factor that is a field (``batch_size``) or a path into one (``optimizer.lr``) sets that; a
    factor of a name of the user's own has levels that are mappings of paths to values.
    """
    if factor.partition(".")[0] in Recipe.model_fields:
        return {factor: plain_level(value)}
    if isinstance(value, Mapping):
        return {path: plain_level(inner) for path, inner in value.items()}
    hint = {"factor": factor, "level": level, "hint": nearest(factor, Recipe.model_fields)}
    raise PydanticCustomError(
        "factor", "compare.{factor}: unknown field of the recipe: {hint}", hint
    )


def _put_in(recipe: Recipe, values: Mapping[str, object], levels: Mapping[str, str]) -> Recipe:
    """Return the recipe with an arm's values; what does not fit is refused with the arm's levels
    named.

    The errors are pydantic's own kind, since arms are built while a study is validated: any other
    would end validation at the first mistake and lose the place in the file.
    """
    where = "compare." + ".".join(f"{factor}.{level}" for factor, level in levels.items())
    for path in values:
        head = path.partition(".")[0]
        if head not in Recipe.model_fields:
            hint = {"where": where, "path": path, "hint": nearest(path, Recipe.model_fields)}
            raise PydanticCustomError("factor", "{where}: unknown field {path}: {hint}", hint)
    try:
        return recipe.with_values(values)
    except ValidationError as error:
        mistakes = [
            f"{'.'.join(map(str, e['loc']))}: {mistake_in_words(e)}" for e in error.errors()
        ]
        reason = "; ".join(mistakes)
    except SpecError as error:
        reason = str(error)
    raise PydanticCustomError("level", "{where}: {said}", {"where": where, "said": reason})
