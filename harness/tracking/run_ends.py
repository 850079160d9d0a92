"""How runs ended, for those who count them: all that ``harness status`` needs.

Of an SQLite file whose tables are known it is read by Python's own ``sqlite3``, in three queries:
MLflow takes seconds to import, and a run's parameters and metrics are most of what there is of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import NamedTuple
from urllib.parse import quote

from harness.tracking.reader import Reader
from harness.tracking.schema import Tag, tables_known
from harness.tracking.studies import list_studies
from harness.tracking.uris import default_uri, sqlite_path

_WANTED = (Tag.KEY, Tag.ARM, Tag.STAGE, Tag.STATUS, Tag.RUN_NAME, Tag.DETAIL)


class RunEnd(NamedTuple):
    """How one training run ended."""

    arm: str
    stage: str
    status: str
    """In the harness's words; ``?`` for a run of another program."""
    name: str
    """As MLflow's UI shows it."""
    detail: str
    """Why it failed or diverged; else empty."""


class StudyEnds(NamedTuple):
    """The runs of one study."""

    complete: bool
    """Whether it has been run to its end."""
    runs: Sequence[RunEnd]
    """In the order of their starts."""


def read_run_ends(uri: str | None = None, study: str | None = None) -> dict[str, StudyEnds]:
    """Return how the runs of a store's studies ended, by study in alphabetical order.

    Args:
        uri: MLflow's tracking URI; by default :func:`harness.tracking.uris.default_uri`.
        study: name of the one study wanted; all by default.

    Raises:
        NoStudyError: there is no store, or no such study.
        StoreError: the store can't be reached.
    """
    where = uri or default_uri()
    known = _of_file(where, study)
    # what can't be read so, or isn't there, is read or refused in the usual way
    if known is not None and (study is None or study in known):
        return known
    names = [study] if study is not None else list_studies(where)
    return {name: _by_reader(Reader.of(name, where)) for name in names}


def _by_reader(reader: Reader) -> StudyEnds:
    ends = [RunEnd(r.arm, r.stage, r.status, r.name, r.detail) for r in reader.runs()]
    return StudyEnds(reader.complete(), ends)


def _of_file(uri: str, study: str | None) -> dict[str, StudyEnds] | None:
    """Return what an SQLite file has; None where it isn't one that this version knows."""
    path = sqlite_path(uri)
    if path is None or not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as database:
            (revision,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
            return _read(database, study) if tables_known(revision) else None
    # locked, damaged, or another program's: told by the usual way
    except (sqlite3.Error, TypeError):
        return None


def _read(database: sqlite3.Connection, study: str | None) -> dict[str, StudyEnds]:
    ids = database.execute(
        "SELECT name, experiment_id FROM experiments WHERE lifecycle_stage = 'active' ORDER BY name"
    )
    found = {name: _experiment(database, i) for name, i in ids.fetchall() if study in (None, name)}
    return {name: ends for name, ends in found.items() if ends is not None}


def _experiment(database: sqlite3.Connection, experiment: int) -> StudyEnds | None:
    """Return the runs of an experiment; None for one that is no study."""
    active = "SELECT run_uuid FROM runs WHERE experiment_id = ? AND lifecycle_stage = 'active'"
    marks = ", ".join("?" * len(_WANTED))
    # the tables' key begins with the tag's name, so that tags of other names are not looked at
    answers = database.execute(
        f"SELECT key, value FROM tags WHERE key IN (?, ?) AND run_uuid IN ({active})",
        (Tag.KIND, Tag.ANSWER, experiment),
    ).fetchall()
    if (Tag.KIND, "study") not in answers:
        return None
    tags: dict[str, dict[str, str]] = {
        run_id: {}
        for (run_id,) in database.execute(f"{active} ORDER BY start_time, run_uuid", (experiment,))
    }
    for run_id, name, value in database.execute(
        f"SELECT run_uuid, key, value FROM tags WHERE key IN ({marks})", _WANTED
    ):
        if run_id in tags:  # others are of other experiments, or deleted
            tags[run_id][name] = value
    complete = any(name == Tag.ANSWER and value for name, value in answers)
    return StudyEnds(complete, [_end(own) for own in tags.values() if Tag.KEY in own])


def _end(tags: Mapping[str, str]) -> RunEnd:
    return RunEnd(
        tags.get(Tag.ARM, ""),
        tags.get(Tag.STAGE, ""),
        tags.get(Tag.STATUS, "?"),
        tags.get(Tag.RUN_NAME, ""),
        tags.get(Tag.DETAIL, ""),
    )
