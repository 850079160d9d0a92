"""The test data, locked away: each run is evaluated on them once, if its stage allows it.

It is no protection against intent, but code that looks at test data during the search, or twice,
fails at once instead of making a study's answer too good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.core.errors import ProtocolError
from harness.engine.placement import Samples


@dataclass
class Permit:
    """Whether members may be evaluated on the test data, and which of them have been."""

    allowed: bool
    """Whether the stage evaluates test data at all."""
    opened: set[int] = field(default_factory=set)
    """Members that have been evaluated."""


class TestSet:
    """Test samples that are handed out against a permit.

    Args:
        samples: the test part of the data; there may be none.
    """

    __test__ = False  # its name looks like a test's to pytest

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    @property
    def size(self) -> int:
        """Number of samples."""
        return self._samples.size

    def open(self, permit: Permit, members: Sequence[int]) -> Samples:
        """Return the samples, to evaluate some members of a cohort once.

        Args:
            permit: the cohort's; the members are noted in it.
            members: by their places among the runs that the cohort was started with.

        Raises:
            ProtocolError: the stage has no permit, or a member has been evaluated before.
        """
        if not permit.allowed:
            raise ProtocolError(
                "test data were asked for in a stage that is judged on validation data"
            )
        if twice := permit.opened.intersection(members):
            raise ProtocolError(
                f"test data were asked for again by members {sorted(twice)};"
                " each run is evaluated once"
            )
        permit.opened.update(members)
        return self._samples
