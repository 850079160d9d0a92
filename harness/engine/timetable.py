"""The lengths of a run in updates, and the learning rate's factor at each of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from harness.core.errors import HarnessError
from harness.data.base import Data
from harness.data.streams import ENDLESS
from harness.schedules.base import Schedule
from harness.spec.component import as_a
from harness.spec.length import RunLengths, updates_of_samples
from harness.spec.resolved import ResolvedRecipe

if TYPE_CHECKING:  # the driver counts updates, and does without torch
    from torch import Tensor


class Timetable(NamedTuple):
    """The lengths of a run, counted in updates."""

    batch: int
    """Samples in an update."""
    per_epoch: int
    """Updates in an epoch."""
    steps: int
    """Updates in the run."""
    evaluations: tuple[int, ...]
    """Steps after which the run is evaluated; the first is 0, the last ``steps``."""


def make_timetable(recipe: ResolvedRecipe, samples: int) -> Timetable:
    """Return the run's lengths for a training set of the given size.

    A length in samples or gradients is rounded up to whole updates. Without ``eval_every`` a run is
    evaluated about 100 times at most.

    Args:
        recipe: the length in epochs, updates, samples or gradients, and the batch size.
        samples: the size of the training set.

    >>> from harness import SGD, Recipe
    >>> from harness.spec.resolved import resolve
    >>> recipe = Recipe(data="iris", optimizer=SGD(lr=0.1), batch_size=50, epochs=2)
    >>> make_timetable(resolve(recipe), samples=120)
    Timetable(batch=50, per_epoch=3, steps=6, evaluations=(0, 3, 6))
    """
    if recipe.trainer is not None:
        return _own_timetable(recipe)
    # a batch larger than the training set is the training set
    batch = samples if recipe.batch_size == "full" else min(recipe.batch_size, samples)
    if samples == ENDLESS:
        return _endless_timetable(recipe, batch)
    # −(−a // b) is a / b rounded up
    per_epoch = samples // batch if recipe.drop_last else -(-samples // batch)
    unit, length = recipe.length
    given = recipe.eval_every or -(-length // 100)
    if unit == "epochs":
        steps, every = length * per_epoch, given * per_epoch
    elif unit == "steps":
        steps, every = length, given
    else:
        used = per_epoch * batch if recipe.drop_last else samples
        steps = updates_of_samples(length, per_epoch, batch, used)
        every = max(1, given // batch)
    # ``range`` stops short of ``steps``, so that the last evaluation comes once, at the end
    return Timetable(batch, per_epoch, steps, (*range(0, steps, every), steps))


def _endless_timetable(recipe: ResolvedRecipe, batch: int) -> Timetable:
    """Return the lengths of a run on data without an end: the whole run is an epoch.

    Raises:
        HarnessError: its length is in epochs.
    """
    unit, length = recipe.length
    if unit == "epochs":
        raise HarnessError(
            f"recipe.epochs: expected a length in steps or samples, since samples of"
            f" {recipe.data.name} come one after the other and nobody knows how many, got {length}"
        )
    each = 1 if unit == "steps" else batch
    steps, given = -(-length // each), recipe.eval_every or -(-length // 100)
    every = max(1, given // each)
    return Timetable(batch, steps, steps, (*range(0, steps, every), steps))


def _used_in_epoch(recipe: ResolvedRecipe, times: Timetable, samples: int) -> int:
    """Return how many samples an epoch uses; batches of endless data are all of one size."""
    whole = recipe.drop_last or samples == ENDLESS
    return times.batch * times.per_epoch if whole else samples


def _own_timetable(recipe: ResolvedRecipe) -> Timetable:
    """Return the lengths of a run of a user's own trainer, in the unit that its length is given in:
    what an update of it is, the harness does not know."""
    _, length = recipe.length
    # rungs of the search are at hundredths of the run
    every = recipe.eval_every or -(-length // 100)
    return Timetable(1, 1, length, (*range(0, length, every), length))


def samples_seen(recipe: ResolvedRecipe, times: Timetable, samples: int, done: int) -> int:
    """Return how many training samples so many updates have used.

    Args:
        recipe: the run's recipe.
        times: its lengths.
        samples: the size of the training set.
        done: updates made.
    """
    # the last batch of an epoch may be smaller; ``rest`` are updates of the epoch under way, before
    # its last
    epochs, rest = divmod(done, times.per_epoch)
    in_an_epoch = _used_in_epoch(recipe, times, samples)
    return epochs * in_an_epoch + rest * times.batch


def updates_worth(recipe: ResolvedRecipe, times: Timetable, samples: int, gradients: int) -> int:
    """Return how many updates of one gradient a sample would have used so many gradients.

    Where a schedule stands under a budget of gradients: an optimizer that computes several an
    update, such as LBFGS, makes fewer updates, and its schedule ends with the budget all the same.
    For all others it is the number of updates made.

    Args:
        recipe: the run's recipe.
        times: its lengths.
        samples: the size of the training set.
        gradients: gradients of single samples computed so far, fewer than the budget.

    >>> from harness import SGD, Recipe
    >>> from harness.spec.resolved import resolve
    >>> recipe = resolve(Recipe(data="iris", optimizer=SGD(lr=0.1), batch_size=50, gradients=960))
    >>> times = make_timetable(recipe, samples=120)
    >>> [updates_worth(recipe, times, 120, used) for used in (0, 50, 120, 960 - 1)]
    [0, 1, 3, 23]
    """
    # the other way round from ``samples_seen``, rounded down
    in_an_epoch = _used_in_epoch(recipe, times, samples)
    epochs, rest = divmod(gradients, in_an_epoch)
    return epochs * times.per_epoch + rest // times.batch


def run_lengths(recipe: ResolvedRecipe, times: Timetable, samples: int) -> RunLengths:
    """Return what lengths within a run, such as those of schedules, are turned into updates by.

    Args:
        recipe: the run's recipe.
        times: its lengths.
        samples: the size of the training set.
    """
    used = _used_in_epoch(recipe, times, samples)
    tokens = as_a(Data, recipe.data).sample_tokens()
    return RunLengths(times.steps, times.per_epoch, times.batch, used, tokens)


def check_schedule(recipe: ResolvedRecipe, run: RunLengths) -> None:
    """Refuse a schedule with lengths that the run does not have.

    Args:
        recipe: with a schedule.
        run: the run's lengths.

    Raises:
        HarnessError: a length is in tokens, and the data have none.
    """
    try:
        as_a(Schedule, recipe.schedule).fitted(run)
    except HarnessError as error:
        raise HarnessError(f"recipe.schedule: {recipe.schedule.name}: {error}") from error


def schedule_factors(
    recipes: Sequence[ResolvedRecipe], run: RunLengths, start: int, stop: int
) -> Tensor:
    """Return the factors (stop − start, K) that schedules multiply the learning rates by.

    Args:
        recipes: the members', in the order of the rows.
        run: their lengths.
        start: updates made before the first factor, or what they are worth.
        stop: updates made after the last.

    Returns:
        Factors in float64. Members usually share a schedule, which is then asked once and not K
        times: it is Python code that runs for every step.
    """
    import torch

    schedules = [as_a(Schedule, recipe.schedule) for recipe in recipes]
    distinct: list[Schedule] = []
    for schedule in schedules:
        if schedule not in distinct:
            distinct.append(schedule)
    factors = [
        [schedule.factor(step, run.steps, run.per_epoch) for step in range(start, stop)]
        for schedule in (own.fitted(run) for own in distinct)
    ]
    rows = [factors[distinct.index(schedule)] for schedule in schedules]
    return torch.tensor(rows, dtype=torch.float64).T
