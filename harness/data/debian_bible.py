"""The King James Bible as Debian's package ``bible-kjv-text`` has it: one file of windows, each
packed by Unix's ``compress`` (LZW; Welch 1984)."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

from harness.core.errors import HarnessError

BIBLE = "bible-kjv-text"
"""What a spec calls it, as Debian does."""
BIBLE_FILE = Path("/usr/lib/bible.data")
"""Where the package puts it."""
BIBLE_HEAD = b"EC02Compressed Data File"
TABLE_AT = 84
"""Where the table begins: bytes of a window, number of places, and the place of each window."""
LEAST_BITS, MOST_BITS = 9, 16
"""The widths of codes in bits."""


def read_bible(file: Path | None = None) -> bytes:
    """Return the text.

    Args:
        file: of the package; by default where it puts it.

    Raises:
        HarnessError: it is missing, or no such file.
    """
    file = file or BIBLE_FILE
    if not file.is_file():
        raise HarnessError(
            f"data.path of Text: there is no {file}; install Debian's package {BIBLE} "
            f"(apt-get install {BIBLE}), or name a text file of your own"
        )
    packed = file.read_bytes()
    if not packed.startswith(BIBLE_HEAD):
        raise HarnessError(f"data.path of Text: {file} is not what {BIBLE} 4 has")
    _, count = struct.unpack_from(">2I", packed, TABLE_AT)
    places = [*struct.unpack_from(f">{count}I", packed, TABLE_AT + 8), len(packed)]
    return b"".join(unpack_lzw(packed[a:b]) for a, b in pairwise(places))


def unpack_lzw(packed: bytes) -> bytes:
    """Return what codes of rising width stand for: a ``.Z`` file without its head.

    Eight codes of one width are a group of whole bytes; a change of width begins a new group.
    """
    table = [bytes([i]) for i in range(256)] + [b""]  # 256 would clear the table
    text, before, start, bits = bytearray(), b"", 0, LEAST_BITS
    while start < len(packed):
        group = int.from_bytes(packed[start : start + bits], "little")
        held = min(8, 8 * (len(packed) - start) // bits)
        start += bits
        for place in range(held):
            code = group >> place * bits & (1 << bits) - 1
            entry = table[code] if code < len(table) else before + before[:1]
            if before and len(table) < 1 << MOST_BITS:
                table.append(before + entry[:1])
            text += entry
            before = entry
            if len(table) == 1 << bits and bits < MOST_BITS:
                bits += 1
                break
    return bytes(text)
