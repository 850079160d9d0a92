"""Names of the files that reports are written to."""

from __future__ import annotations

import re


def slug(name: str) -> str:
    """Return a study's name as a file name.

    >>> slug("Two words: a/b")
    'two-words-a-b'
    """
    return re.sub(r"[^\w.-]+", "-", name).strip("-").lower()
