"""Training functions of a user's own, ``train(run)``, by their dotted names."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, cast, final

import cloudpickle

from harness.core.process import python_call
from harness.spec.component import External
from harness.spec.own_trainer import LIMITS
from harness.trainers.base import Launch, Trainer
from harness.trainers.child import Given
from harness.trainers.training_run import Assignment


@final
class ExternalTrainer(External, Trainer):
    """A function ``train(run)``; :class:`~harness.trainers.training_run.TrainerRun` is what it is
    given.

    Each run calls it in a process of its own, so that it may leave behind what it likes.
    """

    def __init__(self, target: str | None = None, /, **fields: Any) -> None:
        """Sort the trainer's own fields out of the function's arguments, of which it has none.

        Args:
            target: the function's dotted name; None where ``fields`` has it.
            fields: ``limit`` and ``memory``; or ``target`` and ``args``, as reading a spec's file
                gives them.

        Raises:
            ValueError: there are others.
        """
        given = fields if target is not None else fields.get("args", {})
        if other := [name for name in given if name not in LIMITS]:
            raise ValueError(
                f"expected {' and '.join(LIMITS)} beside a trainer's name, got {other[0]!r}; what "
                "your function needs goes into recipe.config, which it reads as run.config"
            )
        own = {name: value for name, value in given.items() if name in LIMITS}
        External.__init__(self, target=target or fields["target"], args={}, **own)

    def dump(self) -> dict[str, object]:
        """Return the mapping for specs."""
        return {**{name: getattr(self, name) for name in LIMITS}, **External.dump(self)}

    def launch(self, asked: Assignment) -> Launch:
        function = cloudpickle.dumps(self.load())
        arguments = python_call("harness.trainers.child.serve", "{events}", str(os.getpid()))
        return Launch(arguments, pickle.dumps(tuple(Given(function, asked))), piped=True)

    def event_of(self, line: str) -> dict[str, object] | None:
        with suppress(ValueError):  # a forked process may write into the pipe, too
            event = json.loads(line)
            return cast("dict[str, object]", event) if isinstance(event, Mapping) else None
        return None
