"""What the engine says of a study before it trains: its mistakes, and how its runs go together.

The engine needs torch, whose import takes longer than all else that the driver does before the
first run. The workers have imported it by then: one of them is asked, and the driver does without.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from harness.core.errors import HarnessError
from harness.engine.cohort_key import cohort_key
from harness.execution.pool import Pool
from harness.protocol.object_notes import objects_of
from harness.protocol.representative import representative
from harness.spec.arms import build_arms, targets_of
from harness.spec.keys import shape_key
from harness.spec.resolved import ResolvedRecipe
from harness.spec.space import Choice
from harness.spec.study import Study


class Examined(NamedTuple):
    """What was found of a study that can be run."""

    notes: tuple[str, ...]
    """What a user should know of it, in sentences."""
    known_limits: dict[str, int]
    """Members of a cohort at most, by :func:`~harness.engine.cohort_key.cohort_key`."""
    known_batching: dict[str, tuple[bool, str]]
    """Whether runs train together, and why, by :func:`~harness.spec.keys.shape_key`."""

    def limits(self, largest: int | None) -> Callable[[ResolvedRecipe], int]:
        """Return what says how many members a cohort of a recipe has at most.

        Args:
            largest: what a user has set; else it is as the model's size and the machine allow.
        """
        return self._limit if largest is None else lambda _: largest

    def _limit(self, recipe: ResolvedRecipe) -> int:
        key = cohort_key(recipe)
        if key not in self.known_limits:
            from harness.execution.jobs import cohort_limit

            self.known_limits[key] = cohort_limit(recipe)
        return self.known_limits[key]

    def batching(self, recipe: ResolvedRecipe) -> tuple[bool, str]:
        """Return whether runs of the recipe train together, and why or why not."""
        key = shape_key(recipe)
        if key not in self.known_batching:
            from harness.engine.batching import check_batching

            self.known_batching[key] = check_batching(recipe)
        return self.known_batching[key]


def examine(study: Study) -> Examined:
    """Look for mistakes, and at every shape that the arms' recipes are likely to have.

    Raises:
        SpecError: the study can't be run as written.
    """
    from harness.execution.jobs import cohort_limit
    from harness.protocol.check import check_study, notes_of

    check_study(study)
    examined = Examined(notes_of(study), {}, {})
    for recipe in _shapes_of(study):
        key, limit = cohort_key(recipe), cohort_limit(recipe)
        # members may have other optimizers, of which some need more memory
        examined.known_limits[key] = min(limit, examined.known_limits.get(key, limit))
        examined.batching(recipe)
    return examined


def _shapes_of(study: Study) -> Iterator[ResolvedRecipe]:
    """Yield a recipe of each arm, and one for each option of what it chooses from: batch sizes and
    widths, which make other cohorts."""
    for arm in build_arms(study):
        if arm.recipe.trainer is not None:
            continue
        yield representative(arm.recipe)
        for path, space in arm.recipe.spaces().items():
            if isinstance(space, Choice):
                for option in space.options[1:]:
                    yield representative(arm.recipe.with_values({path: option}))


def begin_to_examine(study: Study, pool: Pool) -> Callable[[], Examined]:
    """Let a worker examine a study, where that can be.

    Code of a user's own is looked at in this process, where it may print, be interrupted and take
    its time; so is all where there are no workers on this machine, or torch is here already.

    Args:
        study: what is asked.
        pool: its workers may be starting still.

    Returns:
        What waits until it is done, and raises a SpecError where the study can't be run.
    """
    if _has_torch() or not pool.on_this_machine or _has_own_code(study):
        return partial(examine, study)
    asked = pool.executor.submit(_examined_or_refused, study)

    def wait() -> Examined:
        try:
            found = asked.result()
        except Exception:  # a worker that died, or a fault that is better seen in this process
            return examine(study)
        if isinstance(found, Examined):
            return found
        raise found

    return wait


def _examined_or_refused(study: Study) -> Examined | HarnessError:
    """Return what :func:`examine` returns or raises."""
    try:
        return examine(study)
    except HarnessError as error:
        return error


def _has_torch() -> bool:
    return "torch" in sys.modules


def _has_own_code(study: Study) -> bool:
    recipes = [arm.recipe for arm in build_arms(study)]
    own = any(recipe.trainer is not None or targets_of(recipe, study.probes) for recipe in recipes)
    return own or bool(objects_of(study))
