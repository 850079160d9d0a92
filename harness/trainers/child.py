"""The process of one run of a training function.

It is given the function and its assignment on the standard input, and tells what happens as JSON
lines on a pipe. It imports nothing but the standard library, and seeds NumPy and torch when the
function's module imports them.
"""

from __future__ import annotations

import ctypes
import json
import os
import pickle
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any, NamedTuple

from harness.core.error_words import error_in_words
from harness.trainers.training_run import Assignment, TrainerRun

DIE_WITH_PARENT = 1
"""Linux's ``PR_SET_PDEATHSIG``."""


class Given(NamedTuple):
    """What the process is started with."""

    function: bytes
    """The training function, pickled apart: what goes wrong with its import is the run's."""
    assignment: Assignment


def serve() -> None:
    """Run the function that is given on the standard input.

    The first argument is the number of the pipe's end that events are written to, the second that
    of the process that is waited for.
    """
    follow(int(sys.argv[2]))
    events = os.fdopen(int(sys.argv[1]), "w", buffering=1)
    given = Given(*pickle.loads(sys.stdin.buffer.read()))

    def tell(event: Mapping[str, object]) -> None:
        events.write(json.dumps(event) + "\n")

    asked = Assignment(*given.assignment)
    # exceptions of every class: the code is the user's; KeyboardInterrupt is a wish to end
    try:
        run = run_function(given.function, asked, tell)
    except BaseException as error:
        tell({"error": error_in_words(error)})
        sys.stdout.flush()
        os._exit(1)
    # a whole run where it never asked: what it has not told by now it never tells
    tell({"end": True, "asked": run.asked, "read": sorted(getattr(run.config, "read", ()))})


def run_function(
    pickled: bytes, asked: Assignment, tell: Callable[[Mapping[str, object]], None]
) -> TrainerRun:
    """Import the function, seed all generators, and call it; return what it was given."""
    seeded = SeedOnImport(asked.seed)
    sys.meta_path.insert(0, seeded)
    random.seed(asked.seed)
    train = pickle.loads(pickled)
    # what the import has drawn is drawn by it alone
    seeded.seed_all()
    tell({"begin": True})
    run = TrainerRun(asked, tell)
    train(run)
    return run


def seed_numpy(module: Any, seed: int) -> None:
    """Seed NumPy's global generator."""
    module.random.seed(seed % 2**32)


def seed_torch(module: Any, seed: int) -> None:
    """Seed torch's global generators, the GPUs' among them."""
    module.manual_seed(seed)


SEEDED = {"numpy": seed_numpy, "torch": seed_torch}


class SeedOnImport:
    """Seeds the generators of libraries as they are imported, however late that is.

    Args:
        seed: of the run.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Return the library's own spec, with the seeding put behind it."""
        if fullname not in SEEDED:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def execute_and_seed(module: ModuleType) -> None:
            execute(module)
            SEEDED[fullname](module, self.seed)

        spec.loader.exec_module = execute_and_seed  # type: ignore[method-assign]
        return spec

    def seed_all(self) -> None:
        """Seed what is imported already."""
        random.seed(self.seed)
        for name, seed in SEEDED.items():
            if name in sys.modules:
                seed(sys.modules[name], self.seed)


def follow(parent: int) -> None:
    """End this process with the one that waits for it, however that goes.

    Args:
        parent: the process; where the system can't tell of its end, it is looked at every second.
    """
    try:
        ctypes.CDLL(None).prctl(DIE_WITH_PARENT, signal.SIGKILL)
    except (AttributeError, OSError):  # not on Linux
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it has ended meanwhile
        os._exit(1)


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def execute() -> None:
    """Become a command that ends with the process that waits for it.

    The first argument is that process; the rest is the command.
    """
    follow(int(sys.argv[1]))
    try:
        os.execvp(sys.argv[2], sys.argv[2:])
    except OSError as error:
        print(f"{sys.argv[2]}: {error.strerror}", file=sys.stderr)
        os._exit(127)
