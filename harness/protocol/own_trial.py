"""A trainer of a user's own is tried before anything trains: can it be called, and what does it
tell."""

from __future__ import annotations

import inspect
import shlex
import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.metric_names import recorded_sources
from harness.execution.own_assignment import assignment_of
from harness.execution.own_dry_run import DryRun, try_run
from harness.execution.own_failures import NO_METRICS
from harness.spec.arms import Arm, Run
from harness.spec.component import as_a
from harness.spec.resolved import ResolvedRecipe
from harness.spec.study import Study
from harness.trainers.base import Trainer
from harness.trainers.command import Command, own_placeholders
from harness.trainers.function import ExternalTrainer

DRY_SECONDS = 20.0
"""Seconds after which a loop that is tried is given up: its imports may take some."""
POSITION_OF = {"epochs": "epoch", "samples": "samples"}
"""What a loop tells beside its metrics, by the unit that it is counted in."""
NOTHING = DryRun(frozenset(), "", False)


@lru_cache(maxsize=256)  # mistakes and notes both ask
def try_trainer(recipe: ResolvedRecipe) -> DryRun:
    """Return what comes of calling a trainer for two steps; a command is not started, since it
    can't be told to stop.

    Args:
        recipe: with a trainer of a user's own.
    """
    assert recipe.trainer is not None
    trainer = as_a(Trainer, recipe.trainer)
    try:
        if isinstance(trainer, Command):
            _check_command(trainer, recipe)
            return NOTHING
        assert isinstance(trainer, ExternalTrainer)
        _check_signature(trainer)
    except HarnessError as error:
        return NOTHING._replace(error=str(error))
    tried = try_run(recipe, min(DRY_SECONDS, trainer.limit or DRY_SECONDS))
    if tried.whole and not tried.told:
        tried = tried._replace(error=NO_METRICS)
    if tried.error:
        return tried._replace(error=f"trainer {trainer.name} fails: {tried.error}")
    return tried


def untold(study: Study, arm: Arm, tried: DryRun) -> list[str]:
    """Return a mistake for each metric that the study needs and a whole run of a loop never told,
    and for each claim by a unit that it does not tell.

    Args:
        study: has the objective, the ranking's metric and the claims.
        arm: with a trainer of a user's own.
        tried: what came of trying it.
    """
    claims = {
        f"claims.{i}": claim
        for i, claim in enumerate(study.claims)
        if not claim.arms or arm.name in claim.arms
    }
    mistakes = [
        f"{field}.by: arm {arm.name!r} does not tell its {claim.goal.unit}; tell them with the "
        f"metrics, run.log(step, {POSITION_OF[claim.goal.unit]}=..., valid_loss=...), or claim by "
        "steps"
        for field, claim in claims.items()
        if claim.goal and tried.told and claim.goal.unit in POSITION_OF.keys() - tried.units
    ]
    if not tried.whole:
        return mistakes
    recorded = tried.told | {"cost/seconds", "cost/steps"}
    if "valid/loss" in recorded:
        recorded |= {"best/step", "best/epoch", "best/valid/loss"}
    needed = {f"{field}.on": set(claim.recorded) for field, claim in claims.items()}
    if study.search and arm.recipe.spaces():
        needed["search.objective"] = {study.search.objective}
    if study.metric is not None:
        needed["metric"] = set(recorded_sources(study.metric))
    return mistakes + [
        f"{field}: arm {arm.name!r} tells {', '.join(sorted(tried.told))}; got {name!r}, which "
        f"run.{'test' if name.startswith('test/') else 'log'} never told in a whole run"
        for field, names in needed.items()
        for name in sorted(names - recorded)
    ]


def _check_signature(trainer: ExternalTrainer) -> None:
    """Refuse what can't be called with a run alone.

    Raises:
        HarnessError: so it is.
    """
    function = trainer.load()
    if not callable(function):
        raise HarnessError(
            f"trainer: expected a function train(run), got {trainer.name}, a "
            f"{type(function).__name__}"
        )
    try:
        inspect.signature(function).bind(None)
    except TypeError as error:
        raise HarnessError(
            f"trainer: expected a function train(run), got {trainer.name}"
            f"{inspect.signature(function)}: {error}; what it needs else is in run.config"
        ) from None
    except ValueError:  # a built-in without a signature
        return


def _check_command(trainer: Command, recipe: ResolvedRecipe) -> None:
    """Refuse a command with unknown placeholders, or whose program or script is not there.

    Raises:
        HarnessError: so it is.
    """
    asked = assignment_of(Run(recipe, 0), False, Path("run"))
    trainer.launch(asked)
    if taken := trainer.names() & recipe.config.keys() & own_placeholders(asked).keys():
        raise HarnessError(
            f"recipe.config: {{{min(taken)}}} in trainer.command is what the harness gives each "
            f"run, and not config's {min(taken)!r}; call that one otherwise"
        )
    parts = shlex.split(trainer.command)
    if shutil.which(parts[0]) is None and not Path(parts[0]).exists():
        raise HarnessError(f"trainer.command: there is no program {parts[0]!r}")
    found = {file.path for file in trainer.files()}
    missing = [part for part in parts[1:2] if part.endswith(".py") and part not in found]
    if missing and not Path(missing[0]).exists():
        raise HarnessError(
            f"trainer.command: there is no file {missing[0]!r}, neither beside the spec nor in "
            f"{Path.cwd()}"
        )


def trainer_notes(recipe: ResolvedRecipe, objective: str | None) -> Iterator[str]:
    """Yield what should be known of a trainer, in sentences.

    Args:
        recipe: with a trainer of a user's own.
        objective: metric that the search goes by, if there is one.
    """
    trainer = recipe.trainer
    assert isinstance(trainer, Trainer)
    tried = try_trainer(recipe)
    name = trainer.command if isinstance(trainer, Command) else trainer.name
    if trainer.limit is None:
        yield f"trainer {name}: no limit of time; a run that hangs is waited for (trainer.limit)"
    if isinstance(trainer, Command):
        if "seed" not in trainer.names():
            yield (
                f"trainer {name}: does not name {{seed}}; runs of a program that draws nothing "
                "of its own are all the same, and count as one"
            )
        return
    if not tried.ended:
        yield (
            f"trainer {name}: tried for {DRY_SECONDS:g} s without an end; a loop that asks "
            "run.should_stop() ends at once when it is tried"
        )
    told = sorted(tried.told)
    if told and objective and objective not in told:
        yield (
            f"trainer {name}: told {', '.join(told)} when it was tried, and not {objective}, which "
            "the search goes by; runs without it fail"
        )
    if tried.ended and not any(metric.startswith("test/") for metric in told):
        yield (
            f"trainer {name}: told no test metric in the confirmation (run.test); set the study's "
            "metric to one that it tells, such as valid/loss"
        )
