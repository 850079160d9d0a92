"""What a check of the audit finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Finding(NamedTuple):
    """Something that could have biased the answer."""

    check: str
    """The kind of finding, which several checks' findings may share."""
    text: str
    """What was found, with the arms and numbers."""
    advice: str
    """What to do about it, in the imperative."""


class FindingGroup(NamedTuple):
    """All findings of one kind."""

    check: str
    texts: tuple[str, ...]
    """What was found, one a finding."""
    advice: tuple[str, ...]
    """What to do, each said once."""


def first_of(names: Sequence[str], most: int = 5) -> str:
    """Return the first names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
