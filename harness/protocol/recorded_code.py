"""Code that a store has of a study, beside what its reader has: whoever can write to a shared store
could else have anything run by ``harness reproduce``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from harness.spec.source_code import short_digest


class Unseen(NamedTuple):
    """Recorded code that is not what lies in the reader's folder."""

    path: str
    """Of the file in the study's code, or what it is."""
    digest: str
    """Hash of the text."""
    why: str
    """``differs from yours``, or ``is not in this folder``."""
    text: str

    def __str__(self) -> str:
        first = self.text.splitlines()[:5]
        # what moves the cursor could hide the rest
        shown = ["".join(c if c.isprintable() else "?" for c in line)[:100] for line in first]
        return "\n".join([f"{self.path} ({self.digest}) {self.why}:", *(f"    {s}" for s in shown)])


def find_unseen(code: Path, own: Path, spec: Mapping[str, object]) -> list[Unseen]:
    """Return the recorded files that are not the same in the reader's folder, and commands.

    Args:
        code: folder with the study's recorded files.
        own: the reader's folder, which has a file under the same path where it has it.
        spec: the study's, in plain form; the command lines in it are programs, too.
    """
    unseen = []
    for file in sorted(path for path in code.rglob("*") if path.is_file()):
        path, content = file.relative_to(code).as_posix(), file.read_bytes()
        mine = own / path
        if mine.is_file() and mine.read_bytes() == content:
            continue
        text = content.decode("utf-8", errors="replace")
        why = "differs from yours" if mine.is_file() else "is not in this folder"
        unseen.append(Unseen(path, short_digest(text), why, text))
    for command in _commands(spec):
        unseen.append(Unseen("a command", short_digest(command), "is run by its trainer", command))
    return unseen


def _commands(node: object) -> Iterator[str]:
    """Yield the command lines of trainers in a plain spec, wherever they stand."""
    if isinstance(node, Mapping):
        if isinstance(node.get("command"), str):
            yield str(node["command"])
        for inner in node.values():
            yield from _commands(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _commands(inner)
