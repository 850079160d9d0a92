"""plotly.js, for pages: packed into each, or once in a file beside published ones."""

from __future__ import annotations

import base64
import gzip
from functools import lru_cache
from pathlib import Path

from harness.core.whole_file import write_whole


def pack_text(text: str) -> str:
    """Return text as gzip in base64, which browsers unpack by themselves.

    The same text gives the same bytes (with one version of zlib): gzip's header has no time. So a
    page that is made again changes only where its study has.
    """
    return base64.b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()


@lru_cache(maxsize=1)
def plotly_source() -> str:
    """Return plotly.js as it comes with Plotly's package, some 5 MB."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs())


@lru_cache(maxsize=1)
def packed_plotly() -> str:
    """Return plotly.js packed, 2 MB; it is kept, so that any number of pages pack it once."""
    return pack_text(plotly_source())


def shared_name() -> str:
    """Return the name of the file that published pages share.

    It has plotly.js's version, so that pages which were published with another one keep theirs.
    """
    from plotly.offline import get_plotlyjs_version

    return f"plotly-{get_plotlyjs_version()}.js"


LOCAL_PAGES = "local"
"""Folder of pages that are not published, within one of published pages."""


def place_of(folder: Path, published: bool = False) -> Path:
    """Return the folder that a page goes into.

    Published pages are under version control: a study that is run for oneself must not change them,
    nor the index that lists them, or its own results would be said to come of a changed tree.

    Args:
        folder: as it was asked for.
        published: whether the page is to be published with the others there.
    """
    among_published = not published and any(folder.glob("plotly-*.js"))
    return folder / LOCAL_PAGES if among_published else folder


def write_shared(folder: Path) -> Path:
    """Write the file that published pages share, and remove those that no page names any more.

    It is an ordinary script, since a page that was opened from the disk may load nothing else. It
    holds plotly.js packed: a page unpacks it, and runs it if its hash is the one in the page's
    policy.

    Args:
        folder: with the published pages, which are there already.

    Returns:
        The file's path.
    """
    path = folder / shared_name()
    text = f'globalThis.packedPlotly="{packed_plotly()}";\n'
    # a renewal of many pages would write the same 2 MB again for each of them
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_whole(path, text)
    pages = [page.read_text(encoding="utf-8") for page in folder.glob("*.html")]
    for library in folder.glob("plotly-*.js"):
        if library != path and not any(f'src="{library.name}"' in page for page in pages):
            library.unlink()
    return path
