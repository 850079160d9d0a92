"""Data from a file or folder of the user's own, found beside the spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import PrivateAttr

from harness.core.errors import HarnessError
from harness.core.paths import find_beside_spec
from harness.data.base import Data


class FileData(Data):
    """Data by path. Other contents are other data: the fingerprint of a run is over its arrays."""

    path: str
    """The file or folder; relative to the spec's folder."""

    # compared with the fields: a spec made anew after its file has changed is another one, so that
    # nothing that is kept in memory for the old file is taken for the new
    _version: tuple[tuple[int, int], ...] = PrivateAttr(default=())

    def model_post_init(self, context: Any) -> None:
        """Note time and size of the file; one that is missing is told when it is read."""
        try:
            stats = [place.stat() for place in self.dated()]
        except (HarnessError, OSError):
            return
        self._version = tuple((stat.st_mtime_ns, stat.st_size) for stat in stats)

    def dated(self) -> list[Path]:
        """Return the files or folders of which one has another time or size once data change."""
        return [self.place()]

    def place(self) -> Path:
        """Return where the file or folder is.

        Raises:
            HarnessError: there is none; the message has the nearest name.
        """
        return find_beside_spec(self.path, f"data.path of {self.name}")
