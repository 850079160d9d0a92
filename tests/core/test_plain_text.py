"""What a terminal without some characters shows instead of them."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from harness.core.plain_text import (
    copyable,
    let_streams_degrade,
    plain_text,
    with_copyable_paths,
)


@pytest.mark.parametrize(
    "encoding, shown",
    [
        ("ascii", "-0.5 +/- 1.2 x 10^-7 ... alpha <= 1/2, Chalons"),
        ("latin-1", "-0.5 ± 1.2 × 10^-7 ... alpha <= ½, Châlons"),
        ("cp1252", "-0.5 ± 1.2 × 10^-7 … alpha <= ½, Châlons"),
        ("utf-8", "−0.5 ± 1.2 × 10⁻⁷ … α ≤ ½, Châlons"),
    ],
)
def test_what_a_stream_lacks_is_shown_by_its_like(monkeypatch, encoding, shown):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
    let_streams_degrade()
    print("−0.5 ± 1.2 × 10⁻⁷ … α ≤ ½, Châlons", flush=True)
    assert written.getvalue().decode(encoding).strip() == shown


def test_what_has_no_like_is_a_question_mark():
    assert plain_text("日\udcc3") == "??" and plain_text("θ̂") == "theta"


@pytest.mark.parametrize("name", ["größe/日本.html", "it's \\n ö", "\udcc3\n"])
def test_a_path_that_a_stream_lacks_is_one_that_a_shell_takes(name):
    shown = copyable(name, "ascii")
    assert shown.isascii() and "\n" not in shown
    said = subprocess.run(["bash", "-c", f"printf %s {shown}"], capture_output=True, check=True)
    assert said.stdout == os.fsencode(name)


def test_files_in_a_sentence_are_named_as_a_shell_takes_them(folder):
    for name in ("größe.db", "mit ö.db"):
        (folder / name).touch()
    text = "größer: größe.db, or 'mit ö.db'; isn't 'grö' or größe?"
    named = r"größer: $'gr\xc3\xb6\xc3\x9fe.db', or $'mit \xc3\xb6.db'; isn't 'grö' or größe?"
    assert with_copyable_paths(text, "ascii") == named
    assert with_copyable_paths(text, "utf-8") == text


def test_a_path_that_a_stream_has_is_shown_as_it_is():
    assert (
        copyable("größe's.html", "utf-8") == copyable("größe's.html", "latin-1") == "größe's.html"
    )
