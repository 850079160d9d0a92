"""Whether a program is told what a study varies.

What its command line does not name changes nothing: trials of a tuned value would all be the same,
and so would two arms, which a verdict would then tell apart by luck.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.execution.own_assignment import assignment_of
from harness.spec.arms import Arm, Run
from harness.spec.resolved import ResolvedRecipe
from harness.trainers.command import Command


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


def _is_named(name: str, names: frozenset[str]) -> bool:
    """Return whether a placeholder stands for a value, for what it is in, or for what it holds."""
    return any(f"{name}.".startswith(f"{n}.") or n.startswith(f"{name}.") for n in names)
