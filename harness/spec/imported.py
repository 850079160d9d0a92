"""What a study says of runs that were trained elsewhere, and not by the harness."""

from __future__ import annotations

from pydantic import Field

from harness.spec.base import Spec


class Imported(Spec):
    """Where the runs of a study come from that trains none: its answer is made of their numbers."""

    source: str
    """The table, experiment or export that they were read from."""
    fingerprint: str
    """Hash of their numbers."""
    searches: int = Field(default=1, ge=1)
    """Independent searches that tuned the arms, as the source says; 1 where it says nothing."""
    paired: bool = True
    """Whether runs of two arms with the same seed are taken as pairs; else they are paired in their
    order."""
    names: dict[str, str] = {}
    """The harness's names of metrics that the source calls otherwise, by its own."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how they were read, in sentences without a full stop."""
