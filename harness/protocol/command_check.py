"""Whether a program or a training function is told what a study varies.

What a command line does not name, or a function never reads, changes nothing: trials of a tuned
value would all be the same, and so would two arms, which a verdict would then tell apart by luck.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.execution.own_assignment import assignment_of, config_of
from harness.protocol.own_trial import try_trainer
from harness.spec.arms import Arm, Run
from harness.spec.resolved import ResolvedRecipe
from harness.trainers.command import Command
from harness.trainers.function import ExternalTrainer


def untold_values(arms: Sequence[Arm], recipes: Mapping[str, ResolvedRecipe]) -> Iterator[str]:
    """Yield a mistake for each value that is tuned or compared and that no command names.

    Args:
        arms: of a study; those that train otherwise are passed over.
        recipes: one without spaces for each arm, by its name.
    """
    first: dict[tuple[object, str], Arm] = {}
    for arm in arms:
        command = recipes[arm.name].trainer
        if not isinstance(command, Command):
            continue
        spaces = arm.recipe.spaces()
        for path in spaces:
            if not _is_named(name := path.removeprefix("config."), command.names()):
                yield (
                    f"arm {arm.name!r}: {path} is tuned, but trainer.command does not name "
                    f"{{{name}}}, so that all its trials would be the same"
                )
        launch = command.launch(assignment_of(Run(recipes[arm.name], 0), False, Path("run")))
        other = first.setdefault((launch.arguments, str(spaces)), arm)
        if other.recipe != arm.recipe:
            yield (
                f"arms {other.name!r} and {arm.name!r}: expected command lines that differ, got "
                "the same; name in trainer.command what is compared"
            )


def unread_values(arms: Sequence[Arm], recipes: Mapping[str, ResolvedRecipe]) -> Iterator[str]:
    """Yield a note for each value that is tuned or compared and that no training function read.

    No mistake, since a function that was tried for two steps may read more later on.

    Args:
        arms: of a study; those that train otherwise are passed over.
        recipes: one without spaces for each arm, by its name.
    """
    first: dict[tuple[object, ...], Arm] = {}
    for arm in arms:
        recipe = recipes[arm.name]
        if not isinstance(recipe.trainer, ExternalTrainer):
            continue
        tried = try_trainer(recipe)
        if not tried.ended:
            continue
        said, spaces = f"trainer {recipe.trainer.name}", arm.recipe.spaces()
        for path in spaces:
            if not _is_named(name := path.removeprefix("config."), tried.read):
                yield (
                    f"arm {arm.name!r}: {path} is tuned, but {said} did not read "
                    f"run.config[{name!r}] when it was tried; if it never does, all its trials are "
                    "the same"
                )
        seen = {n: v for n, v in config_of(recipe).items() if _is_named(n, tried.read)}
        other = first.setdefault((said, str(seen), str(spaces), recipe.length), arm)
        if other.recipe != arm.recipe:
            yield (
                f"arms {other.name!r} and {arm.name!r}: {said} read no value of run.config in which"
                " they differ when it was tried; if it never does, they are the same"
            )


def _is_named(name: str, names: frozenset[str]) -> bool:
    """Return whether a placeholder stands for a value, for what it is in, or for what it holds."""
    return any(f"{name}.".startswith(f"{n}.") or n.startswith(f"{name}.") for n in names)
