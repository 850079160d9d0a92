"""What an archive's JSON holds; pydantic refuses what has another form."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.spec.patterns import STUDY_NAME
from harness.tracking.archive.file import ArchiveReader

ShortText = Annotated[str, Field(max_length=20_000)]
Curves = dict[str, list[tuple[int, float]]]
"""``(step, value)`` pairs by metric."""

STUDY = "study.json"
RUNS = "runs"
"""Folder of runs, a file each; those of curves, arrays and weights have the same names."""
CURVES, ARRAYS, WEIGHTS, CODE = "curves", "arrays", "weights", "code"


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ArchivedArm(_Form):
    """An arm's own run."""

    name: ShortText
    tags: dict[str, ShortText]


class ArchivedStudy(_Form):
    """The study's own run."""

    name: str = Field(pattern=STUDY_NAME, max_length=80)
    title: ShortText
    data: ShortText
    """Name of its data set."""
    fingerprint: ShortText
    identity: ShortText
    """Hash of all that its answer follows from; empty where runs failed."""
    tags: dict[str, ShortText]
    metrics: dict[str, float]
    arms: list[ArchivedArm]


class ArchivedRun(_Form):
    """A training run, without its files."""

    run_id: ShortText
    """In the store that it was exported from."""
    key: ShortText
    name: ShortText
    status: Literal["FINISHED", "FAILED"]
    start: int
    """Milliseconds since 1970."""
    arm: ShortText
    tags: dict[str, ShortText]
    params: dict[str, ShortText]
    closing: dict[str, float]
    """Closing values, by the names of MLflow."""


_Model = TypeVar("_Model", bound=_Form)


def read_form(archive: ArchiveReader, name: str, form: type[_Model]) -> _Model:
    """Return what a JSON file of an archive holds.

    Raises:
        ArchiveError: it has another form.
    """
    try:
        return form.model_validate(archive.read_json(name))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))[:100]
        raise archive.error(name, f"{place}: {first['msg']}") from None
