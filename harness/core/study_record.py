"""What a study leaves behind beside its runs: its trials, frozen recipes and their clocks.

The store keeps it as one JSON file, ``index.json``, in the form of ``to_plain``. Everything else
that a report shows is read from the runs themselves. The protocol makes it, the store keeps it and
the analysis reads it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple, Self

LEVEL = "level."
"""How the names of the columns begin that hold a run's level of each factor."""


class RunEntry(NamedTuple):
    """A run and its place in the study."""

    run_id: str
    key: str
    """Hash of all that the run's numbers follow from."""
    arm: str
    levels: Mapping[str, str]
    """The arm's level of each factor."""
    stage: str
    """``search`` or ``confirm``."""
    trial: int
    seed: int
    status: str
    """How the run ended: ``finished``, ``diverged``, ``pruned``, ``stopped`` or ``failed``."""
    search: int = 0
    """Number of the search that tuned it, or that froze its recipe."""

    def to_plain(self) -> dict[str, Any]:
        """Return the entry as JSON holds it, with a column ``level.<factor>`` for each factor.

        It is flat, since the analysis makes one row of a pandas table of it.
        """
        return {
            "run_id": self.run_id,
            "key": self.key,
            "arm": self.arm,
            **{LEVEL + factor: level for factor, level in self.levels.items()},
            "stage": self.stage,
            "trial": self.trial,
            "seed": self.seed,
            "status": self.status,
            "search": self.search,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the entry that :meth:`to_plain` wrote."""
        columns = dict(plain)
        levels = {
            name.removeprefix(LEVEL): columns.pop(name) for name in plain if name.startswith(LEVEL)
        }
        return cls(**columns, levels=levels)


class TrialEntry(NamedTuple):
    """A point of an arm's search space that was tried."""

    arm: str
    trial: int
    status: str
    value: float | None
    """The objective; None where it is not finite, which JSON can't hold."""
    values: Mapping[str, object]
    """The hyperparameters by their path in the recipe, as JSON holds them: lists and mappings are
    text in records of older versions."""
    search: int = 0
    """Number of the search."""


class Length(NamedTuple):
    """How long a recipe trains if nothing ends it early."""

    step: int
    epoch: float
    samples: int


class FrozenEntry(NamedTuple):
    """The recipe that an arm is confirmed with in one of its searches."""

    trial: int
    """The trial that it comes from."""
    levels: Mapping[str, str]
    """The arm's level of each factor."""
    recipe: Mapping[str, Any]
    """The resolved recipe in plain form."""
    batched: bool
    """Whether its runs are trained together in cohorts."""
    why: str
    """Why they are, or are not."""
    search: int = 0
    """Number of the search."""
    length: Length | None = None
    """Its planned length; None in studies of earlier versions."""

    def to_plain(self) -> dict[str, Any]:
        """Return the entry as JSON holds it."""
        return {
            "search": self.search,
            "trial": self.trial,
            "levels": self.levels,
            "recipe": self.recipe,
            "path": {"batched": self.batched, "why": self.why},
            "length": self.length._asdict() if self.length else None,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the entry that :meth:`to_plain` wrote."""
        length = plain.get("length")
        return cls(
            plain["trial"],
            plain["levels"],
            plain["recipe"],
            **plain["path"],
            search=plain.get("search", 0),
            length=Length(**length) if length else None,
        )


class ClockReading(NamedTuple):
    """How long one update of a recipe takes, measured while nothing else ran."""

    of: str
    """Hash of what was timed; recipes whose updates cost the same share a reading."""
    seconds: float
    """Seconds of one update, evaluation left out: the fastest of several blocks."""
    spread: float
    """Time of the median block over that of the fastest: 1 on a machine that nothing disturbed."""
    load: float
    """Processes other than this one that wanted to run, per core of the machine: the mean over the
    minute before."""

    def to_plain(self) -> dict[str, Any]:
        """Return the reading as JSON holds it."""
        return self._asdict()

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the reading that :meth:`to_plain` wrote."""
        return cls(**plain)


class LookShown(NamedTuple):
    """An answer that was given, by so many runs: whoever looks often errs often, if the risk is not
    shared out."""

    searches: int
    seeds: int
    """Of each search."""
    level: float
    """The risk that was taken at it."""
    claims: tuple[str, ...] | None = None
    """The sentences of the claims that were judged; None where an earlier version has not kept
    them."""
    runs: tuple[str, ...] = ()
    """The beginnings of the keys of the runs that were looked at."""

    def was_at(self, keys: Collection[str]) -> bool:
        """Return whether any run with one of these keys was looked at."""
        return not {shortened(key) for key in keys}.isdisjoint(self.runs)

    def to_plain(self) -> dict[str, Any]:
        """Return the look as JSON holds it."""
        plain: dict[str, Any] = self._asdict()
        if self.claims is None:
            del plain["claims"]
        return plain

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any], answering: Sequence[str]) -> Self:
        """Return the look that :meth:`to_plain` wrote.

        Args:
            plain: its plain form.
            answering: keys of the runs of the answer; the looks of earlier versions were at these.
        """
        claims = plain.get("claims")
        runs = plain.get("runs", map(shortened, answering))
        return cls(
            plain["searches"],
            plain["seeds"],
            plain["level"],
            None if claims is None else tuple(claims),
            tuple(runs),
        )


def shortened(key: str) -> str:
    """Return as much of a run's key as tells the runs of a study apart."""
    return key[:16]


class StudyRecord(NamedTuple):
    """All that a study leaves behind beside its runs."""

    runs: Sequence[RunEntry]
    trials: Sequence[TrialEntry]
    winners: Mapping[str, Sequence[FrozenEntry]]
    """The frozen recipes of each arm, one a search, in the order of the searches."""
    importances: Mapping[str, Mapping[str, float]]
    """By arm, how much each searched hyperparameter mattered for the objective, as shares of 1; the
    mean over searches."""
    clock: Mapping[str, Mapping[int, ClockReading]]
    """Readings of each arm's frozen recipes by search; one that can't be trained has none."""
    looks: Sequence[LookShown] = ()
    """Every look at the study that was shown, this answer's and those of earlier ones: those at
    other runs, of a recipe that was changed, count again when it is changed back."""
    notes: Sequence[str] = ()
    """What a user should know of data and search, in sentences, as the plan says it."""

    def to_plain(self) -> dict[str, Any]:
        """Return the record as JSON holds it.

        >>> empty = StudyRecord([], [], {}, {}, {})
        >>> empty.to_plain()
        {'runs': [], 'trials': [], 'winners': {}, 'importances': {}, 'clock': {}, 'looks': []}
        """
        plain = {
            "runs": [entry.to_plain() for entry in self.runs],
            "trials": [entry._asdict() for entry in self.trials],
            "winners": {
                arm: [entry.to_plain() for entry in entries]
                for arm, entries in self.winners.items()
            },
            "importances": self.importances,
            "clock": {
                arm: {str(search): reading.to_plain() for search, reading in readings.items()}
                for arm, readings in self.clock.items()
            },
            "looks": [look.to_plain() for look in self.looks],
        }
        return plain | ({"notes": list(self.notes)} if self.notes else {})

    @property
    def confirmed(self) -> list[str]:
        """Keys of the runs that the claims are judged by."""
        return [run.key for run in self.runs if run.stage == "confirm"]

    @property
    def looks_at_these(self) -> tuple[LookShown, ...]:
        """The looks that were at runs of this answer, if only at some of them."""
        keys = self.confirmed
        return tuple(look for look in self.looks if look.was_at(keys))

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the record that :meth:`to_plain` wrote, or that a version before searches were
        numbered did."""
        runs = [RunEntry.from_plain(entry) for entry in plain["runs"]]
        answering = [run.key for run in runs if run.stage == "confirm"]
        return cls(
            runs,
            [TrialEntry(**entry) for entry in plain["trials"]],
            {arm: _frozen_entries(entries) for arm, entries in plain["winners"].items()},
            plain["importances"],
            # files of studies that were stored before there were clocks have none
            {arm: clock_readings(entry) for arm, entry in plain.get("clock", {}).items()},
            tuple(LookShown.from_plain(look, answering) for look in plain.get("looks", ())),
            tuple(plain.get("notes", ())),
        )


def clock_readings(plain: Mapping[str, Any]) -> dict[int, ClockReading]:
    """Return an arm's readings by search from their plain form; a single one is the first
    search's, as versions wrote it that had no other."""
    if "of" in plain:
        return {0: ClockReading.from_plain(plain)}
    return {int(search): ClockReading.from_plain(entry) for search, entry in plain.items()}


def _frozen_entries(plain: Any) -> tuple[FrozenEntry, ...]:
    """Return an arm's frozen recipes from their plain form; earlier versions wrote a single one."""
    entries = plain if isinstance(plain, list) else [plain]
    return tuple(FrozenEntry.from_plain(entry) for entry in entries)
