"""The text of Debian's bible-kjv-text: packed here by an encoder of its own, and gzip agrees."""

from __future__ import annotations

import shutil
import struct
import subprocess

import numpy as np
import pytest

import harness as h
from harness.core.errors import HarnessError
from harness.data import debian_bible
from harness.data.base import load_data
from harness.data.debian_bible import read_bible, unpack_lzw

TEXT = "".join(f"Ge{i}:{j} In the beginning, {i * j % 97} \n" for i in range(60) for j in range(9))


def packed(text):
    """Return a text as codes of LZW in groups of eight of one width (Welch 1984)."""
    table, out = {bytes([i]): i for i in range(256)}, bytearray()
    free, bits, codes = 257, 9, []

    def write():
        whole = sum(code << bits * place for place, code in enumerate(codes))
        out.extend(whole.to_bytes(bits, "little"))
        codes.clear()

    word = b""
    for byte in (text[i : i + 1] for i in range(len(text))):
        if word + byte in table:
            word += byte
            continue
        codes.append(table[word])
        # the reader knows each sequence one code later
        if free == 1 << bits:
            write()
            bits += 1
        elif len(codes) == 8:
            write()
        table[word + byte], free, word = free, free + 1, byte
    codes.append(table[word])
    write()
    return bytes(out)


def test_codes_of_rising_width_are_unpacked_as_gzip_does():
    content = TEXT.encode()
    codes = packed(content)
    assert len(codes) < len(content) / 2 and unpack_lzw(codes).rstrip(b"\0") == content
    if shutil.which("gzip"):
        given = bytes([0x1F, 0x9D, 0x90]) + codes
        reference = subprocess.run(
            ["gzip", "-dc"], check=False, input=given, capture_output=True
        ).stdout
        assert reference.rstrip(b"\0") == content


def test_the_package_is_a_source_by_its_name_and_its_absence_is_told(tmp_path, monkeypatch):
    file = tmp_path / "bible.data"
    monkeypatch.setattr(debian_bible, "BIBLE_FILE", file)
    source = h.Text(path="bible-kjv-text", context=16)
    with pytest.raises(HarnessError, match="install Debian's package bible-kjv-text") as error:
        load_data(source)
    assert len(str(error.value).splitlines()) == 1
    windows = [packed(TEXT[i : i + 5000].encode()) for i in range(0, len(TEXT), 5000)]
    head = 84 + 8 + 4 * len(windows)
    places = head + np.cumsum([0, *map(len, windows)])[:-1]
    table = struct.pack(f">2I{len(windows)}I", 5000, len(windows), *places)
    file.write_bytes(b"EC02Compressed Data File".ljust(84, b"\0") + table + b"".join(windows))
    assert read_bible().replace(b"\0", b"").decode() == TEXT
    first = load_data(source).train.x[0]
    assert bytes(first.astype(np.uint8)).decode() == TEXT[:16]


@pytest.mark.skipif(not debian_bible.BIBLE_FILE.exists(), reason="bible-kjv-text is not installed")
def test_the_package_of_debian_has_the_whole_bible():
    text = read_bible()
    assert len(text) == 4_405_785 and b"Ge1:1 In the beginning God created" in text
    assert text.endswith(b"be with you all. Amen.\n")
