"""Imports without the collector of garbage.

They make hundreds of thousands of objects, which all stay. Python's collector goes through them
again and again meanwhile and finds nothing, which takes a fifth of the time of torch's import.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def importing() -> Iterator[None]:
    """Keep the collector off for imports; afterwards it is as it was."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
