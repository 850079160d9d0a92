"""A training run on its way into MLflow, and on its way back.

:func:`new_run` turns a :class:`Record` of the protocol into a :class:`NewRun`, which is plain data:
it may wait in a spool's file, and ``Database`` or ``ClientApi`` writes it. A :class:`StoredRun` is
what they read, before :mod:`harness.tracking.reader` makes a training run of it.
"""

from __future__ import annotations

import base64
import getpass
import json
import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias, TypeVar

from harness.core.records import Outcome, Point
from harness.spec.arms import Run
from harness.spec.keys import ENGINE
from harness.tracking.provenance import read_environment
from harness.tracking.schema import (
    IN_ARTIFACT,
    POSITION,
    RunFile,
    Tag,
    closing_name,
    is_closing,
    level_name,
    stored_name,
)

POINTS_SHOWN = 250
"""Points of a curve that go into MLflow's tables, as many as its UI can draw; longer curves are
whole in an artifact."""
RunCurves: TypeAlias = Mapping[str, Sequence[Sequence[float]]]
"""The curves of one run: ``(step, value)`` pairs in the order of their steps, by metric."""

JsonObject: TypeAlias = dict[str, Any]
"""What a JSON file holds: values of any type, which only its reader knows."""

# Characters that MLflow's columns hold on every database: longer texts are refused there.
_LONGEST_NAME = 250
_LONGEST_TAG = 4000
_LONGEST_PARAMETER = 6000


_BYTES = "base64"
_T = TypeVar("_T")


class Record(NamedTuple):
    """A finished run and its place in the study."""

    key: str
    """Hash of all that the run's numbers follow from."""
    run: Run
    outcome: Outcome
    stage: str
    """``search`` or ``confirm``."""
    arm: str
    trial: int
    """Number of the trial in its arm's search; of a confirm run, the trial that won."""
    levels: Mapping[str, str]
    """The arm's level of each factor."""
    search: int = 0
    """Number of the search that tuned it, or that froze its recipe."""
    searches: int = 1
    """How many searches the study has."""

    @property
    def title(self) -> str:
        """The run's name in MLflow's UI, with the number of its search where there are several."""
        search = f"search {self.search} · " if self.searches > 1 or self.search else ""
        trial = f"trial {self.trial} · " if self.stage == "search" else ""
        return f"{self.arm} · {search}{trial}seed {self.run.seed}"[:_LONGEST_NAME]


class StudyData(NamedTuple):
    """The data set that MLflow shows beside a study's runs, or those of an arm."""

    name: str
    fingerprint: str
    """Hash of its arrays."""
    profile: Mapping[str, int | str] = {}
    """What MLflow's UI tells of it, such as the number of samples of each part."""

    @property
    def digest(self) -> str:
        """The hash as MLflow takes it, which has at most 36 characters."""
        return self.fingerprint[:36]

    @property
    def profile_json(self) -> str | None:
        """The profile as MLflow takes it."""
        return json.dumps(dict(self.profile)) if self.profile else None


class TimedMetric(NamedTuple):
    """A number at a step, and when it was so; by the names of MLflow's table."""

    key: str
    step: int
    value: float
    timestamp: int
    """Milliseconds since 1970."""


class Means(NamedTuple):
    """What an arm's run is given: means over its training runs."""

    closing: Sequence[TimedMetric]
    """Means of closing values, their intervals and numbers of runs."""
    curves: Sequence[TimedMetric]
    """In the order of their steps."""


class NewRun(NamedTuple):
    """A run as it is written to MLflow.

    Its fields are also what a spool's files hold, which the next version of the harness may find:
    so they keep their names.
    """

    run_id: str
    """The harness's own; a server gives another."""
    key: str
    name: str
    status: str
    """MLflow's: FINISHED or FAILED."""
    start: int
    """Milliseconds since 1970, as ``end``."""
    end: int
    tags: dict[str, str]
    params: dict[str, str]
    metrics: list[tuple[str, int, float]]
    """``(name, step, value)``: the thinned curves, then the closing values."""
    files: dict[str, Mapping[str, object]]
    """Artifacts by file name: the whole curves, where ``metrics`` had to thin them, the arrays of
    probes, and weights, whose bytes stand in base 64 (see :func:`file_content`)."""
    times: Sequence[tuple[int, int]] = ()
    """When the points of each step were computed: ``(step, milliseconds since 1970)``. Where a step
    is missing, the run's end stands for it."""

    def time_of(self) -> Callable[[str, int], int]:
        """Return what gives the time of a metric at a step, in milliseconds since 1970."""
        times = dict(self.times)
        return lambda name, step: self.end if is_closing(name) else times.get(step, self.end)


class StoredRun(NamedTuple):
    """A run of any kind as MLflow gives it back."""

    run_id: str
    status: str
    """MLflow's: FINISHED, FAILED or RUNNING."""
    start: int
    """Milliseconds since 1970."""
    tags: dict[str, str]
    params: dict[str, str]
    metrics: dict[str, float]
    """The latest value of every metric, by MLflow's names."""


def new_run(record: Record, parent: str) -> NewRun:
    """Return what MLflow is to keep of a finished run.

    Args:
        record: the run.
        parent: id of its arm's run, which it is nested in.

    Returns:
        The run with an id of its own. Curves of more than :data:`POINTS_SHOWN` points are thinned
        for MLflow's tables, and whole in a file.
    """
    outcome, (start, end) = record.outcome, _start_and_end(record.outcome)
    files: dict[str, Mapping[str, object]] = {}
    if len(outcome.points) > POINTS_SHOWN + 1:
        files[RunFile.CURVES] = _by_metric(_points(outcome.points))
    if outcome.arrays:
        files[RunFile.ARRAYS] = outcome.arrays
    if outcome.weights:
        from safetensors.numpy import save  # runs that keep their weights alone need it

        about = {"arm": record.arm, "seed": str(record.run.seed), "kept": str(outcome.kept)}
        content = save(dict(outcome.weights), metadata=about)
        files[RunFile.WEIGHTS] = pack_bytes(content)
    shown, at = thin(outcome.points), outcome.times
    tags = _tags(record, parent)
    if RunFile.CURVES in files:
        tags[Tag.CURVES] = IN_ARTIFACT
    if RunFile.ARRAYS in files:
        tags[Tag.ARRAYS] = IN_ARTIFACT
    if RunFile.WEIGHTS in files:
        tags[Tag.WEIGHTS] = str(outcome.kept)
    return NewRun(
        run_id=uuid.uuid4().hex,
        key=record.key,
        name=record.title,
        status="FAILED" if outcome.status == "failed" else "FINISHED",
        start=start,
        end=end,
        tags=tags,
        params=_params(record),
        metrics=_points(shown) + _closing(outcome),
        files=files,
        times=[(p.step, int(1000 * at[p.step])) for p in shown if p.step in at],
    )


def _start_and_end(outcome: Outcome) -> tuple[int, int]:
    """Return when a run began and ended, in milliseconds since 1970; of one that is not known to
    have a beginning, what it cost is counted back from now."""
    now = int(1000 * time.time())
    if outcome.started:
        last = max(outcome.times.values(), default=outcome.started)
        return int(1000 * outcome.started), int(1000 * last)
    return now - int(1000 * outcome.summary.get("cost/seconds", 0)), now


def pack_bytes(content: bytes) -> dict[str, str]:
    """Return bytes as one of a run's files holds them: :func:`file_content` unpacks them."""
    return {_BYTES: base64.b64encode(content).decode()}


def file_content(content: Mapping[str, object]) -> bytes:
    """Return the bytes of one of a run's files: JSON, or what stands in base 64."""
    packed = content.get(_BYTES)
    if isinstance(packed, str):
        return base64.b64decode(packed)
    return json.dumps(content).encode()


def whole_curves(run: NewRun) -> RunCurves:
    """Return a run's curves in full, from its file or, where they are short, from its metrics."""
    if RunFile.CURVES in run.files:
        return run.files[RunFile.CURVES]  # type: ignore[return-value]  # new_run put them there
    # Without a file the metrics were not thinned. The closing values among them are no curves.
    return _by_metric([point for point in run.metrics if not is_closing(point[0])])


def stored_levels(levels: Mapping[str, str]) -> dict[str, str]:
    """Return an arm's level of each factor by the name that MLflow has it under, as a tag and as a
    parameter."""
    return {level_name(factor): level for factor, level in levels.items()}


def origin_tags() -> dict[str, str]:
    """Return tags of what made the results: engine, commit, uncommitted changes, command, user."""
    origin = read_environment()
    return {
        Tag.ENGINE: ENGINE,
        Tag.COMMIT: origin["commit"],
        Tag.DIRTY: origin["dirty"] or "no",
        Tag.USER: read_user(),
        Tag.COMMAND: origin["command"][:_LONGEST_TAG],
        Tag.SOURCE: origin["command"].partition(" ")[0],
        Tag.GIT_COMMIT: origin["commit"],
    }


def read_user() -> str:
    """Return the name of the account, or ``unknown`` where a container has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def thin(points: Sequence[_T], limit: int = POINTS_SHOWN) -> list[_T]:
    """Return at most ``limit`` + 1 points, evenly spaced, the first and the last among them.

    The i-th of them is point round(i (n − 1) / limit) of n: no two are the same, since n − 1 is
    larger than ``limit``.

    Args:
        points: a run's evaluations, or their steps, in order.
        limit: stretches that they are divided into.
    """
    if len(points) <= limit + 1:
        return list(points)
    return [points[round(i * (len(points) - 1) / limit)] for i in range(limit + 1)]


def finite_summary(outcome: Outcome) -> dict[str, float]:
    """Return an outcome's closing values that are finite: each of MLflow's databases keeps NaN and
    infinity in its own way, or not at all."""
    return {name: value for name, value in outcome.summary.items() if math.isfinite(value)}


def _tags(record: Record, parent: str) -> dict[str, str]:
    tags = {
        Tag.RUN_NAME: record.title,
        Tag.PARENT: parent,
        Tag.KIND: "run",
        Tag.KEY: record.key,
        Tag.STAGE: record.stage,
        Tag.ARM: record.arm[:_LONGEST_TAG],
        Tag.SEARCH: str(record.search),
        Tag.TRIAL: str(record.trial),
        Tag.SEED: str(record.run.seed),
        Tag.STATUS: record.outcome.status,
        Tag.ANSWERS: "yes",
    }
    if record.outcome.detail:
        tags[Tag.DETAIL] = record.outcome.detail[:_LONGEST_TAG]
    return tags | stored_levels(record.levels) | origin_tags()


def _params(record: Record) -> dict[str, str]:
    """Return the recipe's settings as text, by path, with the run's place in the study and its
    arm's levels; MLflow's table of runs can be filtered and grouped by them."""
    texts = parameter_texts(
        record.run.recipe.settings()
        | {"seed": record.run.seed, "stage": record.stage, "arm": record.arm}
    )
    return {stored_name(name): text for name, text in texts.items()} | stored_levels(record.levels)


def parameter_texts(settings: Mapping[str, object]) -> dict[str, str]:
    """Return settings as MLflow's parameters: text by name, cut where it is long; a setting that is
    None is left out.

    >>> parameter_texts({"optimizer": "SGD", "optimizer.nesterov": True, "model": None})
    {'optimizer': 'SGD', 'optimizer.nesterov': 'true'}
    """
    texts = {name: _text(value) for name, value in settings.items() if value is not None}
    return {name: text[:_LONGEST_PARAMETER] for name, text in texts.items()}


def _text(value: object) -> str:
    # JSON, and not str(): ``true`` and ``[100, 100]`` can be read back
    return value if isinstance(value, str) else json.dumps(value)


def _points(points: Sequence[Point]) -> list[tuple[str, int, float]]:
    """Return ``(name, step, value)`` of every metric at every point, and of the position there."""
    triples: list[tuple[str, int, float]] = []
    for point in points:
        known = zip(POSITION, (point.epoch, float(point.samples)), strict=True)
        position = {name: value for name, value in known if not math.isnan(value)}
        triples += [(name, point.step, v) for name, v in {**point.metrics, **position}.items()]
    return triples


def _closing(outcome: Outcome) -> list[tuple[str, int, float]]:
    """Return ``(name, step, value)`` of the closing values.

    At step 0, where MLflow's UI takes a value for one number a run, and draws bars: at another step
    it would draw a curve of one point.
    """
    return [(closing_name(name), 0, value) for name, value in finite_summary(outcome).items()]


def _by_metric(points: Sequence[tuple[str, int, float]]) -> dict[str, list[tuple[int, float]]]:
    """Return ``(step, value)`` pairs by metric, in the order given."""
    curves: dict[str, list[tuple[int, float]]] = {}
    for name, step, value in points:
        curves.setdefault(name, []).append((step, value))
    return curves
