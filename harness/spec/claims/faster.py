"""The claim that an arm reaches a value sooner than another."""

from __future__ import annotations

from typing import Literal

from harness.spec.claims.fields import Goal, TimeUnit
from harness.spec.claims.two_arms import Contest


class Faster(Contest):
    """``arm`` needs less of ``by`` than ``than`` to bring ``on`` to ``target``.

    The metric must be recorded over training. A run that never gets there is censored at its end,
    and not left out.
    """

    kind: Literal["faster"] = "faster"
    target: float
    """Value of ``on`` to be reached."""
    by: TimeUnit = "steps"
    """Unit in which speed is counted; seconds are steps × the time of an update measured alone."""

    @property
    def goal(self) -> Goal:
        return Goal(self.on, self.target, self.by, self.maximize)

    def __str__(self) -> str:
        return f"{self.arm} reaches {self.on} {self.target:g} in fewer {self.by} than {self.than}"
