"""plotly.js, packed into pages."""

from __future__ import annotations

import base64
import gzip
from functools import lru_cache


def packed(text: str) -> str:
    """Return text as gzip in base64, which browsers unpack by themselves; the same text gives the same bytes."""
    return base64.b64encode(gzip.compress(text.encode(), 6, mtime=0)).decode()


@lru_cache(maxsize=1)
def plotly_source() -> str:
    """Return plotly.js as it comes with Plotly's package."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@lru_cache(maxsize=1)
def packed_plotly() -> str:
    """Return plotly.js packed: 2 MB instead of 5."""
    return packed(plotly_source())
