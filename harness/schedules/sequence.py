"""Schedules one after the other."""

from __future__ import annotations

from typing import Annotated, Self, final

from pydantic import Field, field_validator

from harness.schedules.base import Schedule
from harness.spec.base import Spec
from harness.spec.component import Component, as_a
from harness.spec.length import Duration, RunLengths, fit_lengths, in_updates
from harness.spec.part_field import PartOf


class Piece(Spec):
    """A schedule over some of a run."""

    schedule: Annotated[Component, PartOf("schedule")]
    """What is followed; its own steps, and shares, are those of the piece."""
    length: Duration | None = None
    """How long; the last piece has none and takes what is left."""
    scale: float = Field(default=1.0, ge=0)
    """What the schedule's factors are multiplied by."""


@final
class Sequence(Schedule):
    """Each piece's schedule in its turn, from its own first step on (torch's ``SequentialLR``).

    Shares in ``length`` are of the whole run. A run that ends within a piece cuts it off.

    >>> halves = {"schedule": "Constant", "length": 0.5}, {"schedule": "Constant", "scale": 0.1}
    >>> [Sequence(pieces=halves).factor(step, 4, 1) for step in range(4)]
    [1.0, 1.0, 0.1, 0.1]
    """

    pieces: tuple[Piece, ...] = Field(min_length=1)
    """The pieces, as mappings with ``schedule`` and ``length``."""

    @field_validator("pieces")
    @classmethod
    def _last_takes_the_rest(cls, pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
        endless = [number for number, piece in enumerate(pieces, 1) if piece.length is None]
        if endless != [len(pieces)]:
            raise ValueError(
                "expected a length for every piece but the last, which takes what is left of the"
                f" run, got {len(pieces)} pieces, of which {endless or 'none'} have no length"
            )
        return pieces

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        start = 0
        for piece in self.pieces:
            length = steps - start
            if piece.length is not None:
                length = in_updates(piece.length, steps, steps_per_epoch)
            if piece.length is None or step < start + length:
                schedule = as_a(Schedule, piece.schedule)
                return piece.scale * schedule.factor(step - start, length, steps_per_epoch)
            start += length
        raise AssertionError("the last piece has no end")

    def fitted(self, run: RunLengths) -> Self:
        pieces = tuple(
            fit_lengths(piece, run).model_copy(
                update={"schedule": as_a(Schedule, piece.schedule).fitted(run)}
            )
            for piece in self.pieces
        )
        return self.model_copy(update={"pieces": pieces})

    def targets(self) -> tuple[object, ...]:
        # a piece's schedule may be of the user's own, whose code is in the keys of runs
        return tuple(target for piece in self.pieces for target in piece.schedule.targets())
