"""A study's cohorts, shared among drivers on several machines: each trained by one of them.

Every driver of a study asks, cuts and decides alike, whatever machine it is on: all follows from
the spec and from the runs. So drivers need to agree on one thing only, who trains which cohort, and
do so by way of the store, which they have in common. A run of the experiment holds a parameter for
each cohort that is taken, whose value is the driver. MLflow lets no parameter be changed (in its
tables the name is a key), so that of two drivers that write it at once one is told that it came
second. Drivers give signs of life; a cohort whose driver has given none is taken by another, as its
next attempt.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from harness.core.errors import StoreError
from harness.spec.keys import ENGINE, digest
from harness.tracking.about import About
from harness.tracking.lease import BEAT, STALE, HeldError, Holder
from harness.tracking.rows import StoredRun, StudyData
from harness.tracking.schema import Tag

if TYPE_CHECKING:
    from harness.tracking.experiment import Experiment

JOINING = 120.0
"""Seconds that a driver that has the study is given to begin to share it."""
FREED = 5.0
"""Seconds after which nobody has a study that was held a moment ago."""
POLL = 0.5
"""Seconds between two looks at what the others have done; on a server each is a request."""

ANSWER = "answer"
"""What is told to be done when the study has its answer."""
GONE = (
    "the driver that this one joined gives no signs of life, and still has the study; end that "
    "process, and start the same command again: what is finished is kept"
)
_LOG = logging.getLogger("harness")


class EndedError(StoreError):
    """The study has been answered by the driver that this one joined."""


class GoneError(StoreError):
    """The driver that has the study has ended without its answer, or gives no signs of life."""


class _Seen(NamedTuple):
    """What was last seen of a driver."""

    beat: str
    when: float
    """When the beat was first seen, by this process's clock."""


class Sharing:
    """What the drivers of a study tell each other, until :meth:`close`.

    Args:
        experiment: the study's.
        run_id: the run that they write to.
        me: a name that no other driver has.
        retry_read: tries a call again while the store is away.
    """

    def __init__(
        self, experiment: Experiment, run_id: str, me: str, retry_read: Callable[..., Any]
    ) -> None:
        self.experiment, self.run_id, self.me = experiment, run_id, me
        self._retry = retry_read
        self._params: dict[str, str] = {}
        self._tags: dict[str, str] = {}
        self._looked = 0.0
        self._seen: dict[str, _Seen] = {}
        self._attempts: dict[str, int] = {}
        """The cohorts that this driver has taken, and as their number of attempt."""
        self._beats, self._stop = 0, threading.Event()
        self._give_sign()
        self._beating = threading.Thread(target=self._beat, name="sharing", daemon=True)
        self._beating.start()

    def take(self, cohort: str) -> int | None:
        """Take a cohort, unless another driver trains it or has done so.

        Args:
            cohort: its name, the same for every driver.

        Returns:
            Its attempt, from 0: a later one takes the place of a driver that gave no signs of life.
            None where it is not this driver's.

        Raises:
            EndedError: the study is answered.
            GoneError: the driver that has the study was started anew.
            StoreError: the store is away.
        """
        self.look()
        attempt = self._count(cohort)
        if self.is_done(cohort):
            return None
        if attempt and self._lives(self._params[_attempt(cohort, attempt - 1)]):
            return None
        if not self._retry(lambda: self._claim(_attempt(cohort, attempt))):
            return None
        self._attempts[cohort] = attempt
        return attempt

    def owns(self, cohort: str) -> bool:
        """Return whether a cohort that this driver took is still its own: another may have taken it
        if this one gave no signs of life, as a machine that slept."""
        self.look()
        return self._count(cohort) == self._attempts[cohort] + 1

    def tell_done(self, what: str) -> None:
        """Tell the others that a cohort is recorded, or that anything else is done."""
        self._retry(lambda: self.experiment.set_values(self.run_id, {f"done.{what}": self.me}))
        self._tags[f"done.{what}"] = self.me

    def is_done(self, what: str) -> bool:
        """Return whether something had been told to be done at the last :meth:`look`."""
        return f"done.{what}" in self._tags

    def wait_for(self, what: str, owner: str) -> None:
        """Wait until something is told to be done.

        Args:
            what: as :meth:`tell_done` was given it.
            owner: the driver that does it.

        Raises:
            GoneError: it gives no signs of life.
        """
        while not self.is_done(what):
            if not self._lives(owner):
                raise GoneError(GONE)
            time.sleep(POLL)
            self.look()

    def look(self) -> None:
        """Read what all have told so far."""

        def read() -> None:
            run = self.experiment.single.get(self.run_id)
            self._params, self._tags = run.params, run.tags
            if self.is_done(ANSWER):
                raise EndedError("the study has been answered by the driver that this one joined")
            if not self.experiment.single.is_active(self.run_id):
                raise GoneError(GONE)

        self._retry(read)
        now = time.monotonic()
        if now - self._looked > STALE / 2:  # the store was away, for the others too
            self._seen.clear()
        self._looked = now

    def end(self) -> None:
        """Tell the others that the study is answered, and leave nothing of this to be seen."""
        self.tell_done(ANSWER)
        self._retry(lambda: self.experiment.single.delete(self.run_id))

    def close(self) -> None:
        """Give no more signs of life."""
        self._stop.set()
        self._beating.join()

    def _count(self, cohort: str) -> int:
        """Return how often a cohort has been taken."""
        attempt = 0
        while _attempt(cohort, attempt) in self._params:
            attempt += 1
        return attempt

    def _claim(self, name: str) -> bool:
        """Write this driver into a parameter; return whether it is the first to."""
        return self.experiment.single.claim(self.run_id, name, self.me)

    def _lives(self, owner: str) -> bool:
        """Return whether a driver gives signs of life; clocks of several machines are not
        compared."""
        beat, now = self._tags.get(_beat_tag(owner), ""), time.monotonic()
        seen = self._seen.get(owner)
        if seen is None or seen.beat != beat:
            self._seen[owner] = _Seen(beat, now)
            return True
        return now - seen.when < STALE

    def _give_sign(self) -> None:
        self._beats += 1
        self.experiment.set_values(self.run_id, {_beat_tag(self.me): str(self._beats)})

    def _beat(self) -> None:
        while not self._stop.wait(BEAT):
            try:
                self._give_sign()
            except Exception:  # a store that is away is told by those who need it
                continue


def _attempt(cohort: str, number: int) -> str:
    return f"cohort.{cohort}.{number}"


def _beat_tag(owner: str) -> str:
    return f"beat.{owner}"


def begin_sharing(
    experiment: Experiment,
    about: About,
    common: str,
    owner: str,
    retry_read: Callable[..., Any],
) -> Sharing:
    """Return what the driver that has a study shares it by; what an earlier one left is removed.

    Args:
        experiment: the study's.
        about: what the study is.
        common: the hash of what all drivers must have in common.
        owner: this driver's name in the lease.
        retry_read: tries a call again while the store is away.
    """
    end_sharing(experiment)
    tags = {Tag.KIND: "sharing", Tag.COMMON: common, Tag.OWNER: owner}
    run_id = experiment.add_parent("shared", tags, StudyData(about.data, about.fingerprint))
    return Sharing(experiment, run_id, owner, retry_read)


def end_sharing(experiment: Experiment) -> None:
    """Let drivers that had joined an earlier one know that it has the study no longer."""
    for run in _shared_runs(experiment):
        experiment.single.delete(run.run_id)


def living_drivers(experiment: Experiment, drivers: Collection[str]) -> set[str]:
    """Return those of some drivers that give a sign of life; it takes until the last one has given
    it, or can be counted as gone.

    Args:
        experiment: the study's.
        drivers: their names; one at least.
    """

    def beats() -> dict[str, str]:
        return {name: beat for run in _shared_runs(experiment) for name, beat in run.tags.items()}

    _LOG.warning(
        "study %r: runs were being sent by drivers that shared it; looking for up to %d seconds "
        "whether they still are",
        experiment.study,
        STALE,
    )
    first, living, until = beats(), set[str](), time.monotonic() + STALE
    while len(living) < len(drivers) and time.monotonic() < until:
        time.sleep(POLL)
        now = beats()
        living |= {
            driver
            for driver in drivers
            if (tag := _beat_tag(driver)) in now and now[tag] != first.get(tag)
        }
    return living


def _shared_runs(experiment: Experiment) -> list[StoredRun]:
    """Return the runs by which a study is shared: at most one, but for those that killed drivers
    have left."""
    return experiment.single.find(Tag.KIND, "sharing")


def find_sharing(
    experiment: Experiment,
    common: str,
    rows: Callable[[], list[StoredRun]],
    held: HeldError,
) -> tuple[list[StoredRun], StoredRun]:
    """Return an experiment's runs, and the one that the driver that has the study shares it by.

    Args:
        experiment: the study's.
        common: the hash of what all drivers must have in common.
        rows: reads the runs.
        held: says who has the study.

    Raises:
        StoreError: that driver does not share it, or drives another study of that name.
    """
    began = time.monotonic()
    while True:
        holder = Holder.parse(experiment.read_driver())
        found = rows()
        shared = [row for row in found if holder and row.tags.get(Tag.OWNER) == holder.owner]
        if shared:
            break
        # one that shares it does so within seconds of its start
        if time.monotonic() - began > (JOINING if holder else FREED):
            raise StoreError(f"{held}; or start it with --join there, and then here too") from held
        time.sleep(POLL)
    if shared[0].tags[Tag.COMMON] != common:
        raise StoreError(
            f"study {experiment.study!r} is being run by {holder} with another spec, other data, "
            "own code, --cohort, GPU or version of the harness; the same are needed to join"
        )
    return found, shared[0]


def what_is_common(about: About, cut: str) -> str:
    """Return the hash of what drivers that share a study must have in common.

    Args:
        about: what the study is.
        cut: what decides how its runs are cut into cohorts, beside that.
    """
    return digest([about.spec_hash, about.fingerprint, sorted(about.code.items()), cut, ENGINE])
