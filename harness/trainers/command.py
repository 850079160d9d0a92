"""Programs of a user's own that know nothing of the harness, by their command line."""

from __future__ import annotations

import json
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self, final

from pydantic import Field, model_validator

from harness.core.errors import HarnessError, nearest
from harness.core.process import python_call
from harness.spec.paths import flatten
from harness.spec.patterns import METRICS_FILE
from harness.spec.source_code import OwnFile
from harness.trainers.base import Launch, Trainer
from harness.trainers.training_run import POSITIONS, Assignment, full_name

PLACEHOLDER = re.compile(r"\{([^{}\s]+)\}")
"""A name in braces, such as ``{optimizer.lr}``."""
FOLDER = "folder"
"""The placeholder of the run's own folder."""
STEP_NAMES = ("step", "iter", "iteration", "epoch")
"""What programs call the step; the first that a line has counts."""


@final
class Command(Trainer):
    """A command line, such as ``python train.py --lr {lr} --seed {seed}``.

    Names in braces are replaced: those of ``config``, other fields of the recipe by their path, and
    ``seed``, ``split``, ``device``, ``folder`` (the run's own), ``confirming`` (1 or 0) and the
    length by its unit. No shell reads the command, so that a value is one argument whatever is in
    it. Metrics are JSON lines on the standard output, ``{"step": 10, "valid/loss": 0.3}`` and, in
    the confirmation alone, ``{"test/accuracy": 0.9}``; other lines are passed over. A name says
    its part of the data (``train_loss``, ``val/acc``); those that do not, such as ``loss``, are not
    recorded, and it is said which they were.
    """

    command: str = Field(min_length=1)
    """The program and its arguments."""
    metrics: str | None = Field(default=None, pattern=METRICS_FILE)
    """A file of metrics that the program writes into ``{folder}``, CSV or JSON lines."""
    pattern: str | None = None
    """A regular expression that finds metrics in lines of text, by named groups: ``step`` and
    others such as ``valid_loss``."""

    @model_validator(mode="after")
    def _readable(self) -> Self:
        """Refuse a command that can't be taken apart, and metrics that can't be found."""
        try:
            parts = shlex.split(self.command)
        except ValueError as error:
            raise ValueError(
                f"command: expected balanced quotes, got {self.command!r}: {error}"
            ) from None
        if self.metrics and not any(f"{{{FOLDER}}}" in part for part in parts):
            raise ValueError(
                f"command: expected {{{FOLDER}}} in it, where the program is to write "
                f"{self.metrics}, since several runs may write at a time, got {self.command!r}"
            )
        if self.pattern is not None:
            try:
                groups = re.compile(self.pattern).groupindex
            except re.error as error:
                raise ValueError(
                    f"pattern: expected a regular expression, got one with {error}"
                ) from None
            if "step" not in groups or len(groups) < 2:
                raise ValueError(
                    "pattern: expected named groups, (?P<step>...) and metrics such as "
                    f"(?P<valid_loss>...), got {sorted(groups) or 'none'}"
                )
        return self

    def targets(self) -> tuple[object, ...]:
        return self.files()

    def files(self) -> tuple[OwnFile, ...]:
        """Return the files that the command names."""
        return _files_in(shlex.split(self.command))

    def names(self) -> frozenset[str]:
        """Return the names in braces."""
        return frozenset(PLACEHOLDER.findall(self.command))

    def launch(self, asked: Assignment) -> Launch:
        values = placeholders_of(asked)
        parts = [_filled(part, values) for part in shlex.split(self.command)]
        files = _files_in(parts)
        if parts[0] in ("python", "python3"):  # the one that the harness runs in
            parts[0] = sys.executable
        return Launch(
            python_call("harness.trainers.child.execute", str(os.getpid()), *parts),
            folder=files[0].root if files else None,
            environment=(("PYTHONUNBUFFERED", "1"),),
            metrics=Path(asked.folder) / self.metrics if self.metrics else None,
        )

    def event_of(self, line: str) -> dict[str, object] | None:
        found: Mapping[str, object] = {}
        if self.pattern is not None:
            matched = re.search(self.pattern, line)
            found = matched.groupdict() if matched else {}
        elif line.lstrip().startswith("{"):
            with suppress(ValueError):
                parsed = json.loads(line)
                found = parsed if isinstance(parsed, Mapping) else {}
        return event_of_row(found)


def event_of_row(row: Mapping[str, object]) -> dict[str, object] | None:
    """Return what a row of names and values tells: its metrics at its step, or those of the test.

    Args:
        row: texts that are no numbers are passed over; names that say no part of the data are
            given back as ``unnamed``.

    >>> event_of_row({"iter": "10", "val_loss": "0.5", "note": ""})
    {'step': 10.0, 'metrics': {'valid/loss': 0.5}}
    >>> event_of_row({"step": 1, "loss": 0.5})
    {'unnamed': ['loss']}
    >>> event_of_row({"test_accuracy": 0.9})
    {'test': {'test/accuracy': 0.9}}
    """
    numbers = {
        name: number for name, value in row.items() if (number := _number(value)) is not None
    }
    step = next((numbers[name] for name in STEP_NAMES if name in numbers), None)
    metrics = {full: value for name, value in numbers.items() if (full := full_name(name))}
    tested = {name: value for name, value in metrics.items() if name.startswith("test/")}
    if tested:
        return {"test": tested}
    if step is None:
        return None
    places = {*STEP_NAMES, *POSITIONS}
    unnamed = [name for name in numbers if name not in places and full_name(name) is None]
    passed: dict[str, object] = {"unnamed": unnamed} if unnamed else {}
    if not metrics:
        return passed or None
    where = {name: numbers[name] for name in POSITIONS if name in numbers}
    return {"step": step, "metrics": {**metrics, **where}, **passed}


def _number(value: object) -> float | None:
    """Return a value as a number; None where it is none, such as an empty cell of a table."""
    try:
        # whatever JSON holds: what fails is no number
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def placeholders_of(asked: Assignment) -> dict[str, str]:
    """Return what the names in a command stand for, as text."""
    own = own_placeholders(asked)
    values: dict[str, object] = {}
    for path, inner in asked.config.items():
        values |= flatten(path, inner)
    return {name: _text(value) for name, value in (values | own).items()}


def own_placeholders(asked: Assignment) -> dict[str, object]:
    """Return what each run says of itself, whatever is in its config."""
    return {
        "seed": asked.seed,
        "split": asked.split,
        "device": asked.device,
        FOLDER: asked.folder,
        "confirming": int(asked.confirming),
        asked.unit: asked.length,
    }


def _text(value: object) -> str:
    """Return a value as an argument: texts as they are, whole numbers without a point, all else as
    JSON."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value)


def _filled(part: str, values: Mapping[str, str]) -> str:
    """Return an argument with its placeholders replaced.

    Raises:
        HarnessError: a name is not known.
    """

    def value_of(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            hint = nearest(name, values)
            raise HarnessError(f"trainer.command: unknown placeholder {{{name}}}: {hint}")
        return values[name]

    return PLACEHOLDER.sub(value_of, part)


def _files_in(parts: Sequence[str]) -> tuple[OwnFile, ...]:
    """Return the files that a command's parts name; its program is one if it is a path."""
    named = [part for i, part in enumerate(parts) if i or "/" in part]
    return tuple(file for file in map(_find, named) if file)


def _find(part: str) -> OwnFile | None:
    """Return the file that an argument of a command names, if there is one.

    It is looked for beside the spec, and then in the folder of this process.
    """
    for root in _roots():
        path = root / part
        if part and path.is_file() and not Path(part).is_absolute():
            return OwnFile(root, part)
    return None


def _roots() -> Iterator[Path]:
    """Yield the folders of a user's own on the import path, and that of this process."""
    for entry in sys.path:
        # Python's own folders come with it, and that of its programs with those
        if entry and not Path(entry).is_relative_to(sys.prefix) and "-packages" not in entry:
            yield Path(entry)
    yield Path.cwd()
