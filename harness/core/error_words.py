"""An error of a user's code in a sentence, with the line that the user can mend.

It imports nothing but the standard library: runs of own training loops start with it.
"""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path

OURS = Path(__file__).parents[1]
"""The folder of the harness."""


def error_in_words(error: BaseException) -> str:
    """Return an error's kind and message, and the innermost line of the user's own code that led
    to it; the innermost line at all where none is the user's."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_installed(frame.filename)] or frames
    place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
    return f"{type(error).__name__}: {error}{place}"


def _is_installed(file: str) -> bool:
    """Return whether a file belongs to Python, to what is installed for it, or to the harness."""
    installed = (sysconfig.get_path("stdlib"), sysconfig.get_path("purelib"), str(OURS))
    return file.startswith((*installed, "<frozen", "<string")) or "site-packages" in file
