"""Arms whose runs fail alike: their remaining runs are not tried."""

from __future__ import annotations

import re
from collections import Counter

from harness.core.records import NOT_TRIED, Outcome
from harness.protocol.progress import Progress

ALIKE = 3
"""Equal failures of an arm after which its remaining runs are not tried."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)


class Failures:
    """Counts the failures of each arm; an arm with a run that did not fail is always tried on: its
    failures may be those of some values of its space.

    Args:
        progress: is told once of each arm that is given up.
    """

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self._counts: Counter[tuple[str, str]] = Counter()
        self._worked: set[str] = set()
        self._hopeless: dict[str, str] = {}

    def worked(self, arm: str) -> None:
        """Note that a run of an arm did not fail."""
        self._worked.add(arm)

    def add(self, arm: str, outcome: Outcome) -> None:
        """Note how a run of an arm ended."""
        if outcome.status != "failed":
            self.worked(arm)
            return
        if arm in self._hopeless:
            return
        # numbers are those of one run: sizes, seeds, addresses
        alike = arm, _NUMBER.sub("#", outcome.detail)
        self._counts[alike] += 1
        if self._counts[alike] >= ALIKE and arm not in self._worked:
            self._hopeless[arm] = outcome.detail
            self.progress.say(
                f"arm {arm!r}: {ALIKE} runs failed alike, so that its others are not tried: "
                f"{outcome.detail}"
            )

    def hopeless(self, arm: str) -> str:
        """Return why an arm's runs are not tried; nothing where they are."""
        reason = self._hopeless.get(arm, "")
        if not reason or arm in self._worked:
            return ""
        return f"{NOT_TRIED}, since {ALIKE} runs of its arm failed alike: {reason}"
