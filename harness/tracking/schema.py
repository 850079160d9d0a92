"""How the harness writes a study into MLflow: tags, names of metrics and files, and the tables it
knows.

These strings are a file format: stores written by older versions of the harness hold them, so a
change here needs a way to read both. No other module has them, and none above this room needs
them: :class:`harness.tracking.Reader` gives runs with fields, and metrics by the names that their
trainer gave them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import metadata

from harness.core.metric_names import current_name


class Tag:
    """Tags of runs. Those that begin with ``mlflow.`` are MLflow's own, and its UI shows them in
    places of their own."""

    KIND = "harness.kind"
    """``study``, ``arm`` or ``run``: the study's run is the parent of its arms' runs, and an arm's
    of its training runs."""
    KEY = "harness.key"
    """Of a training run: the hash of all that fixes it (see ``harness/spec/keys.py``). Only
    training runs have it."""
    STAGE = "harness.stage"
    """``search`` or ``confirm``."""
    ARM = "harness.arm"
    """Name of the arm, of its own run and of its training runs."""
    SEARCH = "harness.search"
    """Number of the search; runs of versions that had one search a study lack it."""
    TRIAL = "harness.trial"
    SEED = "harness.seed"
    STATUS = "harness.status"
    """How training ended, in the harness's words; MLflow's own status knows only FINISHED and
    FAILED."""
    DETAIL = "harness.detail"
    """Why a run failed or diverged."""
    CURVES = "harness.curves"
    """Where the run's whole curves are: ``artifact`` for a file of the run's own, or the path of a
    file of the study's."""
    ARRAYS = "harness.arrays"
    """``artifact`` where the run has a file of arrays that probes measured."""
    WEIGHTS = "harness.weights"
    """``best`` or ``last`` where the run has a file of weights: which they are."""
    RECORD = "harness.record"
    """The id that a run had before a server gave it its own: what is sent twice is known by it."""
    ENGINE = "harness.engine"
    """Version of the numerics that trained the run."""
    COMMIT = "harness.commit"
    DIRTY = "harness.dirty"
    """Hash of the uncommitted changes; ``no`` if there were none."""
    COMMAND = "harness.command"
    """The command line, without the places of stores."""
    SPEC = "harness.spec"
    """Of the study's run: the hash of its spec."""
    ANSWER = "harness.answer"
    """Of the study's run: the hash of all that its answer follows from; empty until the study has
    been run to its end."""
    CLOCK = "harness.clock"
    """Of an arm's run: the readings of its clocks by search, as JSON."""
    ANSWERS = "harness.answers"
    """``yes`` for a training run that the study's answer is of, ``no`` for one of an earlier form
    of the study; runs of older versions lack it."""
    MEAN_OF = "harness.mean_of"
    """Of an arm's run: the runs that its closing values are means of, in words."""
    CURVES_OF = "harness.curves_of"
    """Of an arm's run: the runs that its curves are means of, in words."""
    SHARING = "harness.sharing"
    """Of a training run of a study that several drivers share: id of the run in which they do."""
    SENDER = "harness.sender"
    """Of the same: the driver that sent it, by the name that it gives signs of life by."""
    COMMON = "harness.common"
    """Of the run in which drivers share a study: the hash of what all of them must have."""
    OWNER = "harness.owner"
    """Of the same: the driver that has the study, by its name in the lease."""
    DRIVER = "harness.driver"
    """Of the experiment: who runs the study at the moment; empty if nobody does."""

    RUN_NAME = "mlflow.runName"
    PARENT = "mlflow.parentRunId"
    NOTE = "mlflow.note.content"
    USER = "mlflow.user"
    SOURCE = "mlflow.source.name"
    GIT_COMMIT = "mlflow.source.git.commit"
    DATA_CONTEXT = "mlflow.data.context"
    EXPERIMENT_KIND = "mlflow.experimentKind"
    """Of the experiment: without it MLflow's UI opens on pages for language models."""
    PRIMARY_METRIC = "mlflow.experiment.primaryMetric.name"
    COLOR = "mlflow.runColor"
    """Of a run: its colour in charts of MLflow's UI."""
    SAVED_VIEW = "mlflow.sharedViewState."
    """Of the experiment, before a name: a view that MLflow's UI offers (:mod:`views`)."""


class StudyFile:
    """Artifacts of the study's own run."""

    SPEC = "spec.json"
    INDEX = "index.json"
    """Which runs answer the study, with its trials and winners."""
    ENVIRONMENT = "environment.json"
    """Commit, packages and hardware: :class:`harness.tracking.provenance.Environment`."""
    DIFF = "diff.patch"
    """What the harness's working tree added to its commit; only where it added anything."""
    REPORT = "report.html"
    """The study's report, which MLflow's UI shows; only where one was written."""
    FIGURES = "figures"
    """Folder of the claims and the ranking as SVG, and of all of the report's figures as Plotly's
    JSON; only where a report was written."""
    CODE = "code"
    """Folder of the user's own source files."""
    CURVES = "curves"
    """Folder of whole curves, a file for each batch of runs that was sent to a server."""


class RunFile:
    """Artifacts of a training run."""

    CURVES = "curves.json"
    """The whole curves, where MLflow's tables have them thinned."""
    ARRAYS = "arrays.json"
    """The last of each array that probes measured, as nested lists by name."""
    WEIGHTS = "weights.safetensors"
    """Weights that were kept, by the network's own names."""


IN_ARTIFACT = "artifact"
"""Value of the tags ``CURVES`` and ``ARRAYS`` of a run that has such a file itself."""
PARENTS = ("study", "arm")
"""Kinds of runs that others are nested in."""
POSITION = ("epoch", "samples")
"""Curves that every run has beside its metrics: where in the training its steps are."""


_LEVEL = "level."


def level_name(factor: str) -> str:
    """Return the name of the tag, and of the parameter, that hold an arm's level of a factor.

    Both are there: MLflow's UI draws and groups runs by their parameters, which can't be changed;
    the tag is always today's, and runs of older versions have nothing else.
    """
    return _LEVEL + stored_name(factor)


def levels_among(texts: Mapping[str, str]) -> dict[str, str]:
    """Return the levels among a run's tags or parameters, by their stored names.

    >>> levels_among({"level.optimizer": "Adam", "harness.kind": "arm"})
    {'level.optimizer': 'Adam'}
    """
    return {name: text for name, text in texts.items() if is_level(name)}


def is_level(stored: str) -> bool:
    """Return whether MLflow's name of a tag or parameter is that of an arm's level."""
    return stored.startswith(_LEVEL)


def stored_name(name: str) -> str:
    """Return a setting's name in letters that MLflow takes: others as their code between colons.

    >>> stored_name("groups.*.bias.lr"), plain_name(stored_name("groups.*.bias.lr"))
    ('groups.:2a:.bias.lr', 'groups.*.bias.lr')
    """
    return re.sub(r"[^\w\-. :/]", lambda found: f":{ord(found[0]):x}:", name)


def plain_name(stored: str) -> str:
    """Return the name that :func:`stored_name` was given."""
    return re.sub(r":([0-9a-f]+):", lambda found: chr(int(found[1], 16)), stored)


CLOCKS = "clock/"
"""Goes before what an arm's clocks were read as, among the metrics of its run."""
TRAINING = "custom_model_development"
"""Value of ``EXPERIMENT_KIND`` that makes MLflow's UI open on the runs."""
_FINAL = "final/"
"""Goes before the closing value of a metric that has a curve too: MLflow has one namespace for
both."""
_ONCE = ("test/", "cost/", "best/")
"""How metrics begin that a run has only once, at its end; no curve can have their names, so they
stay as they are."""


def closing_name(metric: str) -> str:
    """Return MLflow's name of a closing value, given the trainer's.

    >>> closing_name("valid/loss"), closing_name("test/loss")
    ('final/valid/loss', 'test/loss')
    """
    return metric if metric.startswith(_ONCE) else _FINAL + metric


def is_closing(stored: str) -> bool:
    """Return whether MLflow's name of a metric is that of a closing value, not of a curve.

    >>> is_closing("final/valid/loss"), is_closing("cost/steps"), is_closing("valid/loss")
    (True, True, False)
    """
    return stored.startswith((_FINAL, *_ONCE))


def closing_values(latest: Mapping[str, float]) -> dict[str, float]:
    """Return a run's closing values by the trainer's names.

    A metric that has been renamed since the run was recorded has today's name.

    Args:
        latest: the latest value of each metric, by MLflow's names; the last points of curves among
            them, which are left out.

    >>> closing_values({"valid/loss": 0.4, "final/valid/loss": 0.5, "test/loss": 0.6})
    {'valid/loss': 0.5, 'test/loss': 0.6}
    """
    return {
        current_name(name.removeprefix(_FINAL)): value
        for name, value in latest.items()
        if is_closing(name)
    }


KNOWN_REVISIONS = {
    "da6fb0208061": "3.13",
    "b7e4c1a90f23": "3.14",
    "6f8d9c3b2a1e": "3.15",
    "b7e2c1a4d9f3": "3.16",
    "dc11669786a5": "3.17",
}
"""Revisions of MLflow's tables (alembic's) that ``Database`` is known to be right for, with the
version of MLflow that brought each.

Known is what was tried: the store's tests were run with the first release of each of these
versions, and with 3.17.2, on SQLite; on PostgreSQL with 3.17.2 alone. Between them the tables that
``Database`` touches (runs, tags, params, metrics, latest_metrics, inputs) have the same columns;
only the name of a check on a run's status went. An MLflow opens a database of its own revision
alone, so a revision that is not here means a version that is not here: run ``tests/tracking`` with
it, and add it."""


def made_by_installed(revision: str) -> bool:
    """Return whether a revision of the tables is known as that of the MLflow that is installed."""
    known = KNOWN_REVISIONS.get(revision)
    return known is not None and metadata.version("mlflow").startswith(f"{known}.")


def tables_known(revision: str) -> bool:
    """Return whether :class:`harness.tracking.database.Database` is known to be right for a
    revision of the tables."""
    return revision in KNOWN_REVISIONS
