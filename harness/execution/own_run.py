"""One run of a user's own trainer: its process, what it tells, and its checkpoint.

Whatever the user's code does ends as the run's outcome: it lives in a process of its own, which is
watched from here. At a rung of the search the process is paused where it is.
"""

from __future__ import annotations

import csv
import json
import shutil
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.core.errors import HarnessError
from harness.core.records import Outcome, Point, Status
from harness.execution.own_assignment import assignment_of, folder_of
from harness.execution.own_curve import OwnCurve, ToldError, named_metrics, told
from harness.execution.own_failures import (
    NO_LINES,
    NO_METRICS,
    exit_in_words,
    failure,
    said_of,
)
from harness.execution.watched_process import LimitError, Limits, WatchedProcess
from harness.spec.arms import Run
from harness.spec.component import as_a
from harness.trainers.base import Trainer
from harness.trainers.command import Command, event_of_row

EVENTS = "events.jsonl"
"""The file beside a checkpoint that keeps what the run had told."""
LATE = 1.2, 5.0
"""A run of a length in seconds is given up after so many times its length, and so many more."""


@dataclass(frozen=True)
class OwnMember:
    """The run as a cohort of one member would have it."""

    index: int
    points: list[Point]


class OwnRun:
    """A run, from its start to its outcome, with pauses at rungs.

    Args:
        run: what is trained.
        confirming: whether it may tell metrics of test data.
    """

    def __init__(self, run: Run, confirming: bool) -> None:
        self.run, self.confirming = run, confirming
        unit, length = run.recipe.length
        self.curve = OwnCurve(unit, length, confirming, run.recipe.declared)
        self.outcome: Outcome | None = None
        self.process: WatchedProcess | None = None
        self.folder = folder_of(run, confirming)
        self._spent, self._begun = 0.0, 0.0
        self._kept, self._done, self._abandoned = False, False, False
        self._unnamed: set[str] = set()
        """Names that were told and say no part of the data."""
        self._waiting: deque[Mapping[str, object]] = deque()
        """What was told and is not taken yet."""
        self._rows, self._size = 0, 0

    @property
    def members(self) -> list[OwnMember]:
        """The run while it is in training, as a cohort's members."""
        return [] if self.outcome else [OwnMember(0, self.curve.points)]

    @property
    def outcomes(self) -> Mapping[int, Outcome]:
        """The run when it has ended, as a cohort's outcomes."""
        return {0: self.outcome} if self.outcome else {}

    @property
    def _untold(self) -> str:
        return NO_LINES if isinstance(self._trainer, Command) else NO_METRICS

    @property
    def notes(self) -> tuple[str, ...]:
        """What its user should know, in sentences."""
        return (said_of(self._unnamed),) if self._unnamed else ()

    @property
    def seconds(self) -> float:
        """Seconds that it has trained, its start and pauses left out."""
        return self._spent + (self.process.seconds - self._begun if self.process else 0.0)

    def advance(self, until: int | None, count: Callable[[int], None]) -> None:
        """Train on, to the end or until a step is told that is not before ``until``.

        Args:
            until: where to pause.
            count: is told how far it has come since the last call.
        """
        try:
            if self.process is None:
                self._start()
            assert self.process is not None
            self.process.resume()
            if self._abandoned:
                raise ToldError("the study has ended")
            for lines in self.process.lines():
                self._waiting += self._events(lines)
                before = self.curve.last
                ended = self._take(until)
                count(int(self.curve.last - before))
                if ended:
                    break
                if until is not None and self.curve.last >= until:
                    self.process.pause()
                    return
            self._end_by_itself()
        except (HarnessError, LimitError, OSError) as error:
            self._end("failed", str(error))

    def abandon(self) -> None:
        """End the process from another thread, since the study ends; its checkpoint stays."""
        self._abandoned = True
        if self.process is not None:
            self.process.signal(signal.SIGKILL)

    def prune(self, status: Status) -> None:
        """End the run where it is."""
        if not self.outcome:
            self._end(status)

    def _start(self) -> None:
        assert self.run.recipe.trainer is not None
        trainer = as_a(Trainer, self.run.recipe.trainer)
        self._restore()
        if isinstance(trainer, Command):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._kept = True
        asked = assignment_of(self.run, self.confirming, self.folder, self._spent)
        launch = trainer.launch(asked)
        self._trainer, self._file = trainer, launch.metrics
        if launch.metrics:
            launch.metrics.unlink(missing_ok=True)
        self.process = WatchedProcess(launch, Limits(trainer.limit, trainer.memory))

    def _restore(self) -> None:
        """Take up what the run had told before it was interrupted, if it has kept a checkpoint."""
        try:
            lines = (self.folder / EVENTS).read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        self._kept = True
        for line in lines:
            try:
                kept = json.loads(line)
            except ValueError:  # the last line, of which half was written
                break
            at = kept.get("at", self.curve.started)  # files of older versions lack it
            self.curve.started = min(self.curve.started, at)
            self.curve.add(kept["step"], kept["metrics"], at)
            self._spent = float(kept["seconds"])
        self.curve.restart()

    def _take(self, until: int | None) -> bool:
        """Take what was told up to a step; return whether the run is at its end.

        What is told after the step waits: a fast run that has told more by the time that it is
        paused, or all, is pruned as a slow one is.

        Raises:
            HarnessError: it told what it may not, or is past its length in seconds.
        """
        while self._waiting and not self.curve.diverged:
            if until is not None and self.curve.last >= until:
                return False
            event = self._waiting.popleft()
            self._unnamed.update(_names(event.get("unnamed")))
            if "begin" in event:
                assert self.process is not None
                self._begun = self.process.seconds
            elif "error" in event:
                raise ToldError(str(event["error"]))
            elif "end" in event:
                self._done = True
                return True
            elif "checkpoint" in event:
                self._keep_all()
            elif "test" in event:
                self.curve.test(named_metrics(event["test"]))
            elif "metrics" in event:
                self._log(event)
        unit, length = self.run.recipe.length
        if unit == "seconds" and self.seconds > LATE[0] * length + LATE[1]:
            raise ToldError(
                f"it went on past its length of {length} seconds; end it where run.should_stop() "
                "is true"
            )
        return bool(self.curve.diverged)

    def _events(self, lines: list[str]) -> Iterator[Mapping[str, object]]:
        for line in lines:
            event = self._trainer.event_of(line)
            if event is not None:
                yield event
        if self._file is not None and self._file.is_file():
            yield from self._new_rows(self._file)

    def _new_rows(self, file: Path) -> Iterator[Mapping[str, object]]:
        """Yield what a file of metrics tells that it did not before."""
        assert self.process is not None
        ended = self.process.ended
        if file.stat().st_size == self._size and not ended:
            return
        text = file.read_text(encoding="utf-8", errors="replace")
        self._size = file.stat().st_size
        # the last line may be half written; at the end it needs no mark
        whole = (text if ended else text[: text.rfind("\n") + 1]).splitlines()
        if file.suffix == ".csv":
            events = [event_of_row(row) for row in csv.DictReader(whole)]
        else:
            events = [self._trainer.event_of(line) for line in whole]
        yield from filter(None, events[self._rows :])
        self._rows = len(events)

    def _log(self, event: Mapping[str, object]) -> None:
        metrics = named_metrics(event["metrics"])
        self.curve.add(float(str(event["step"])), metrics)
        if self._kept:
            self._keep([{"step": event["step"], "metrics": metrics}], "a")

    def _keep_all(self) -> None:
        """From the first checkpoint on, keep what is told beside it."""
        if not self._kept:
            self._kept = True
            times = self.curve.times
            self._keep(
                [
                    {"step": p.step, "metrics": told(p), "at": times[p.step]}
                    for p in self.curve.points
                ],
                "w",
            )

    def _keep(self, told: list[dict[str, object]], mode: str) -> None:
        now = {"seconds": self.seconds, "at": time.time()}
        lines = [json.dumps(now | row) + "\n" for row in told]
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / EVENTS).open(mode, encoding="utf-8") as file:
            file.writelines(lines)

    def _end_by_itself(self) -> None:
        """End the run whose process has ended, or is done."""
        assert self.process is not None
        if self.curve.diverged:
            self._end("diverged", self.curve.diverged)
            return
        code = self.process.code
        if not self._done and (code or not isinstance(self._trainer, Command)):
            self._end("failed", exit_in_words(code))
        elif not self.curve.points and not self.curve.tested:
            self._end("failed", "; ".join((self._untold, *self.notes)))
        else:
            self._end("finished")

    def _end(self, status: Status, detail: str = "") -> None:
        """End the process and make the outcome; the checkpoint goes with it."""
        seconds = self.seconds
        if self.process is not None:
            if status == "finished":
                self.process.let_end()
            self.process.kill()
            detail = failure(detail, self.process) if status == "failed" else detail
        self.outcome = self.curve.outcome(status, seconds, detail)
        self.process = None
        if not self._abandoned:
            shutil.rmtree(self.folder, ignore_errors=True)


def _names(value: object) -> list[str]:
    return [str(name) for name in value] if isinstance(value, list) else []
