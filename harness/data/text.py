"""Bytes of any file as tokens."""

from __future__ import annotations

from typing import final

import numpy as np
from pydantic import Field

from harness.core.errors import HarnessError
from harness.data.dataset import Raw
from harness.data.debian_bible import BIBLE, read_bible
from harness.data.files import FileData

BYTES = 256
"""Values of a byte: the vocabulary of every text."""


@final
class Text(FileData):
    """The bytes of a file, each predicted from those before it in its window.

    The file is cut into windows of ``context`` bytes, one after the other and without overlap, and
    these in time: the last fifth is the test part, what is before it validation, the rest trained
    on, with its windows in a new random order every epoch. No byte is in two parts. There is one
    such split, whatever ``split``. The path ``bible-kjv-text`` is the King James Bible, where
    Debian's package of that name is installed.
    """

    task = "tokens"
    context: int = Field(default=64, ge=1)
    """Bytes that a prediction sees at most, T."""

    def sample_tokens(self) -> int:
        return self.context

    def raw(self) -> Raw:
        """Return windows (N, T) and the bytes after each of theirs.

        Raises:
            HarnessError: the file is missing, or too short to be cut into parts.
        """
        content = read_bible() if self.path == BIBLE else self.place().read_bytes()
        text = np.frombuffer(content, np.uint8).astype(np.int64)
        # the byte behind a window's last one is its last target
        windows = (len(text) - 1) // self.context
        if windows < 10:
            raise HarnessError(
                f"data.path of Text: expected at least {10 * self.context + 1} bytes (10 windows of"
                f" {self.context}), got {len(text)} in {self.path}; take a smaller context"
            )
        end = windows * self.context
        x, y = (text[first : first + end].reshape(windows, -1) for first in (0, 1))
        return Raw(x, y, order=np.arange(windows), classes=BYTES)
