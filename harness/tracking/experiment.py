"""One study's experiment in MLflow: the calls that are made once or twice a study, and how failures
of the store are told to a person.

A :class:`harness.tracking.session.Session` writes through it, a
:class:`harness.tracking.reader.Reader` only reads. :func:`harness.tracking.opening.open_experiment`
makes it.

Reads and writes of many runs at once go through :attr:`Experiment.bulk`, which has two forms:
:class:`harness.tracking.database.Database` and :class:`harness.tracking.client_api.ClientApi`.
"""

from __future__ import annotations

import errno
import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

import sqlalchemy as sa

from harness.core.errors import StoreError
from harness.core.temporary import temporary_folder
from harness.tracking.retry import PATIENCE, StoreUnavailable, retry
from harness.tracking.rows import JsonObject, Means, NewRun, StoredRun, StudyData
from harness.tracking.schema import TRAINING, Tag, levels_among
from harness.tracking.single import OneByOne
from harness.tracking.uris import describe_error, hide_password, is_remote
from harness.tracking.views import ARMS_VIEW, View, saved_view, with_links

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

_PASSING = ("INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "REQUEST_LIMIT_EXCEEDED")
"""MLflow's codes of failures that may pass by themselves; it gives INTERNAL_ERROR to a refused
connection too."""
_LOCAL = frozenset(
    getattr(errno, name)
    for name in (
        *("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EACCES", "EPERM", "ENOENT", "ENOTDIR"),
        *("EISDIR", "EEXIST", "ENAMETOOLONG", "EMFILE", "ENFILE"),
    )
)
"""Failures of files on this machine, which no server that comes back ends."""
_LOCKED = "database is locked"
"""What SQLite says, however MLflow passes it on."""
_T = TypeVar("_T")


_LONGEST_NOTE = 5000
"""Characters of an experiment's tag that every version of MLflow takes."""


class Bulk(Protocol):
    """Reads and writes of many runs of one experiment at once.

    Both forms must give the same answers; the tests of the store are run with each.
    """

    def rows(self) -> list[StoredRun]:
        """Return the experiment's active runs (the study's, its arms', training runs), in the order
        of their starts."""

    def curves(
        self, run_ids: Collection[str], metrics: Sequence[str] | None
    ) -> dict[str, dict[str, list[tuple[int, float]]]]:
        """Return the curves of the given runs, as far as MLflow's tables have them: long ones are
        thinned there.

        Args:
            run_ids: the runs, by the store's ids.
            metrics: the metrics wanted, by MLflow's names; all of them for None.

        Returns:
            ``(step, value)`` pairs in the order of their steps, by run and metric. Closing values
            may be among them.
        """

    def local_path(self, run_id: str, name: str) -> Path | None:
        """Return the path of an artifact where artifacts lie on this machine, else None.

        Args:
            run_id: the run.
            name: the artifact's path among those of the run; it need not exist.
        """

    def set_tags(self, name: str, values: Mapping[str, str]) -> None:
        """Set a tag of some runs.

        Args:
            name: of the tag.
            values: by run; one at least.
        """

    def set_means(self, run_id: str, means: Means, first: bool) -> bool:
        """Give an arm's run its means, in the place of those that it has.

        Args:
            run_id: the run.
            means: its closing values and curves.
            first: whether it has no curves yet.

        Returns:
            Whether the curves were written: a server's can't be replaced.
        """

    def write(
        self, runs: Sequence[NewRun], superseded: Collection[str], parent: str, again: bool = False
    ) -> list[str]:
        """Write the runs in the place of the superseded ones.

        A process that is killed within leaves no half run that counts as one, and never loses the
        old runs before the new ones are whole.

        Args:
            runs: finished runs; one at least.
            superseded: ids of runs that they replace.
            parent: id of the study's run, which has the files that they share.
            again: an earlier call may have written a part of them, which is not written twice.

        Returns:
            The new runs' ids in the store, in their order.
        """


class Experiment:
    """One study's experiment.

    Args:
        uri: MLflow's tracking URI.
        study: the experiment's name.
        experiment_id: its id.
        client: MLflow's client.
        bulk: reads and writes many of its runs at once.
        single: reads and writes one of them at a time, and its own tags.
    """

    def __init__(
        self,
        uri: str,
        study: str,
        experiment_id: str,
        client: MlflowClient,
        bulk: Bulk,
        single: OneByOne,
    ) -> None:
        self.uri, self.study, self.id = uri, study, experiment_id
        self.client, self.bulk, self.single = client, bulk, single

    def study_run(self) -> str | None:
        """Return the id of the study's own run, if the study has begun."""
        runs = self.single.find(Tag.KIND, "study")
        return runs[0].run_id if runs else None

    def runs_of_answer(self, identity: str) -> int | None:
        """Return the number of runs behind the study's answer, if it is the one asked for.

        Args:
            identity: hash of all that the answer follows from, as ``Session.write_answer`` was
                given it.

        Returns:
            None where the study has no answer, or one to another question.
        """
        runs = self.single.find(Tag.ANSWER, identity)
        return int(runs[0].metrics["runs"]) if runs else None

    def identity_of(self, study_run: str) -> str:
        """Return the hash of all that the study's answer follows from; empty without an answer."""
        return self.single.get(study_run).tags.get(Tag.ANSWER, "")

    def add_parent(self, name: str, tags: Mapping[str, str], data: StudyData) -> str:
        """Make a run that others are nested in, of the study or of an arm; return its id.

        It is ended at once, since nothing goes on in it: a killed process leaves it as it is to be.

        Args:
            name: as MLflow's UI shows it.
            tags: the run's tags.
            data: the data set that MLflow's UI shows beside it.
        """
        # MLflow's column for names holds 250 characters; the tags have the whole name
        run_id = self.single.add(name[:250], tags)
        self.add_levels(run_id, tags)
        self.end_parent(run_id, data)
        return run_id

    def add_levels(self, run_id: str, tags: Mapping[str, str], there: Collection[str] = ()) -> None:
        """Give an arm's run the levels among its tags as parameters, too.

        Args:
            run_id: the run.
            tags: its tags.
            there: parameters that it has already, which MLflow lets nobody change.
        """
        levels = levels_among(tags)
        self.single.set_params(run_id, {k: v for k, v in levels.items() if k not in there})

    def end_parent(self, run_id: str, data: StudyData) -> None:
        """Name the data of a run that others are nested in, and end it; both may be there already.

        Args:
            run_id: the run.
            data: the data set that MLflow's UI shows beside it.
        """
        self.single.set_data(run_id, data)
        self.single.end(run_id)

    def set_values(
        self, run_id: str, tags: Mapping[str, str], metrics: Mapping[str, float] | None = None
    ) -> None:
        """Set tags, and metrics that are no curves, of a run that is there already.

        Args:
            run_id: the run.
            tags: by name; a tag that it has already is replaced.
            metrics: by MLflow's name; each gets one more point at step 0, of which the latest
                counts.
        """
        self.single.set_values(run_id, tags, metrics or {})

    def set_title(self, title: str) -> None:
        """Say in MLflow's UI what the experiment is about, with links to its views if it has any.

        Args:
            title: Markdown; what is too long for MLflow is cut.
        """
        if Tag.SAVED_VIEW + ARMS_VIEW in self.single.experiment_tags():
            title = with_links(title, self.id)
        self.single.tag_experiment(Tag.NOTE, title[:_LONGEST_NOTE])

    def set_views(self, views: Sequence[View], metric: str) -> None:
        """Let MLflow's UI open on the runs, and offer views of them with the columns that matter.

        Args:
            views: what it offers, the first one last made: it stands on top.
            metric: what the arms are ranked by.
        """
        self.single.tag_experiment(Tag.EXPERIMENT_KIND, TRAINING)
        self.single.tag_experiment(Tag.PRIMARY_METRIC, metric)
        for place, view in enumerate(views):
            self.single.tag_experiment(Tag.SAVED_VIEW + view.name, saved_view(view, -place))

    def end_run(self, run_id: str, end: int) -> None:
        """Say when a run that others are nested in ended, in milliseconds since 1970."""
        self.single.end(run_id, end)

    def read_driver(self) -> str:
        """Return who runs the study at the moment, as :mod:`harness.tracking.lease` wrote it."""
        return self.single.experiment_tags().get(Tag.DRIVER, "")

    def write_driver(self, text: str) -> None:
        """Say who runs the study at the moment."""
        self.single.tag_experiment(Tag.DRIVER, text)

    def write_json(self, run_id: str, name: str, content: Mapping[str, object]) -> None:
        """Write a JSON file among a run's artifacts."""
        self.write_text(run_id, name, json.dumps(dict(content), indent=2, default=str))

    def write_text(self, run_id: str, name: str, text: str) -> None:
        """Write a text file among a run's artifacts."""
        self.single.write_text(run_id, name, text)

    def replace_folder(self, run_id: str, name: str, texts: Mapping[str, str]) -> None:
        """Let a folder of a run's artifacts hold these text files and nothing else."""
        self.single.replace_folder(run_id, name, texts)

    def read_json(self, run_id: str, name: str) -> JsonObject:
        """Return what a JSON file among a run's artifacts holds.

        Raises:
            MlflowException: the run has no such file, or the server is away.
            OSError: the run has no such file on this machine.
        """
        return dict(json.loads(self.read_bytes(run_id, name)))

    def read_bytes(self, run_id: str, name: str) -> bytes:
        """Return the content of a file among a run's artifacts.

        Raises:
            MlflowException: the run has no such file, or the server is away.
            OSError: the run has no such file on this machine.
        """
        path = self.bulk.local_path(run_id, name)
        if path is not None:
            return path.read_bytes()
        with temporary_folder("files") as folder:
            return Path(self.client.download_artifacts(run_id, name, folder)).read_bytes()

    def has_artifact(self, run_id: str, name: str) -> bool:
        """Return whether a run has a file or folder of a name among its artifacts."""
        return name in self.single.files(run_id)

    def copy_folder(self, run_id: str, name: str, to: Path) -> None:
        """Copy a folder of a run's artifacts, if the run has it.

        Args:
            run_id: the run.
            name: the folder's name.
            to: where it is copied to; the copy lies in ``to / name``.
        """
        if self.has_artifact(run_id, name):
            self.client.download_artifacts(run_id, name, str(to))

    @contextmanager
    def telling_failures(self, refused: str) -> Iterator[None]:
        """Raise our own errors for the store's: one while it is away, another where it refuses.

        To be put around any call of the store. Messages name the store without its password.

        Args:
            refused: what was asked of the store, as it goes on after "refused".

        Raises:
            StoreUnavailable: the store is away, which may pass.
            StoreError: the store refused.
        """
        try:
            yield
        except mlflow_errors(sa.exc.SQLAlchemyError, OSError) as error:
            where, message = hide_password(self.uri), describe_error(error, self.uri)
            if may_pass(error, self.uri):
                raise unavailable(error, self.uri) from error
            raise StoreError(
                f"MLflow at {where} refused {refused}: {message}; "
                "mend the store and start the same command again, finished runs are kept"
            ) from error

    def patiently(self, action: Callable[[], _T], refused: str, patience: float = PATIENCE) -> _T:
        """Return what an action returns, doing it again while the store is away.

        Args:
            action: any use of the store that may be made twice.
            refused: what is asked of the store, as for :meth:`telling_failures`.
            patience: seconds that the store may be away.

        Raises:
            StoreError: the store is away for too long, or refuses.
        """

        def attempt(again: bool) -> _T:
            with self.telling_failures(refused):
                return action()

        try:
            return retry(attempt, patience)
        except StoreUnavailable as error:
            raise StoreError(
                f"{error}; start the same command again when it is back, finished runs are kept"
            ) from error


def mlflow_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Return the class of MLflow's errors, to be caught beside others; without it where MLflow has
    not been imported, so that nothing of it can have been raised."""
    exceptions = sys.modules.get("mlflow.exceptions")
    return others if exceptions is None else (*others, exceptions.MlflowException)


def may_pass(error: Exception, uri: str) -> bool:
    """Return whether an error may go away by itself: a lost connection, a server that restarts, an
    SQLite file that another program has locked."""
    if _LOCKED in str(error):
        return True
    if not is_remote(uri):
        return False
    if isinstance(error, mlflow_errors()):
        return getattr(error, "error_code", None) in _PASSING
    if isinstance(error, OSError):
        # addresses that are none are ValueErrors too, as requests raises them
        return error.errno not in _LOCAL and not isinstance(error, ValueError)
    return isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError))


def unavailable(error: Exception, uri: str) -> StoreUnavailable:
    """Return our own error for one that may pass."""
    where = f"MLflow at {hide_password(uri)}"
    if _LOCKED in str(error):
        return StoreUnavailable(f"{where} is locked by another program")
    return StoreUnavailable(f"{where} can't be reached: {describe_error(error, uri)}")
