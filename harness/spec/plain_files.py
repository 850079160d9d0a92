"""Plain trees from YAML and JSON files, however they are written; a file is never run or believed.

YAML's aliases let a file of a kilobyte stand for more values than memory holds, or for itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.core.errors import SpecError
from harness.spec.error_words import half_in_words

MOST_BYTES = 5_000_000
"""Size of a file at most, far beyond what a person or a script writes into a spec."""
MOST_VALUES = 100_000
"""Values of a tree at most, those of an alias counted each time that it stands for them."""
DEEPEST = 40
"""Levels of a tree at most."""
MOST_BRACKETS = 5 * DEEPEST
"""Open brackets of a text at most; some may stand in sentences."""
HALVES = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE
)
"""A character that JSON writes in two halves, behind any number of written backslashes."""


def read_tree(path: Path) -> Mapping[str, object]:
    """Read a YAML or JSON file (JSON is YAML) into ruamel's mappings, which know their lines.

    Raises:
        SpecError: it can't be read or parsed, or is no mapping.
    """
    # imported here: a study in Python needs no parser, and ``harness --help`` none either
    from ruamel.yaml import YAML

    text = _text_of(path)
    if path.suffix == ".json":  # YAML has no such halves
        text = HALVES.sub(_whole_character, text)
    if _brackets(text) > MOST_BRACKETS:  # on which the parser would spend minutes
        raise SpecError(f"{path}: expected at most {DEEPEST} levels, got more")
    # a broken file makes the parser raise errors of many classes
    try:
        tree = YAML(typ="rt", pure=True).load(text)
    except RecursionError:
        raise SpecError(f"{path}: expected at most {DEEPEST} levels, got more") from None
    except Exception as error:
        raise SpecError(f"{path}: can't be read as YAML or JSON: {error}") from None
    if not isinstance(tree, Mapping):
        raise SpecError(
            f"{path}: expected fields such as 'name' and 'recipe', got {type(tree).__name__}"
        )
    return tree


def _whole_character(halves: re.Match[str]) -> str:
    r"""Return the character of two halves (UTF-16's), behind the backslashes before them.

    >>> HALVES.sub(_whole_character, r"\u2013 \ud83d\ude42 \\ud83d\ude42")
    '\\u2013 🙂 \\\\ud83d\\ude42'
    """
    high, low = (int(half, 16) for half in halves.group(2, 3))
    return halves[1] + chr(0x10000 + ((high & 0x3FF) << 10) + (low & 0x3FF))


def _brackets(text: str) -> int:
    """Return how many brackets are open at once at most, those in texts counted too.

    >>> _brackets("[{a: 1}, [[b]]]")
    3
    """
    most = opened = 0
    for character in text:
        if character in "[{":
            opened += 1
            most = max(most, opened)
        elif character in "]}":
            opened = max(0, opened - 1)
    return most


def _text_of(path: Path) -> str:
    """Return a file's text.

    Raises:
        SpecError: it can't be read, is no UTF-8, or is far too large.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise SpecError(
                f"{path}: expected a spec of at most {MOST_BYTES // 10**6} MB, got {size / 1e6:.0f}"
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise SpecError(
            f"{path}: expected text in UTF-8, got byte {error.object[error.start]:#04x} at "
            f"position {error.start}; save the file as UTF-8"
        ) from None
    except OSError as error:
        raise SpecError(f"{path}: can't be read: {error.strerror}") from None


def plain_tree(tree: object, source: str) -> object:
    """Return a tree in Python's own types.

    ruamel's parser gives subclasses of int, float and str that remember how each value was written;
    they would be kept in the study and come out again in its dump.

    Args:
        tree: nested mappings and lists.
        source: the file, or what stands for it in the error.

    Raises:
        SpecError: it has too many values or levels; or an alias in it stands for itself.
    """
    return _plain(tree, 0, _budget(source), source)


def _budget(source: str) -> Iterator[None]:
    """Yield once for each value that a tree may have.

    Raises:
        SpecError: it has more.
    """
    for _ in range(MOST_VALUES):
        yield
    raise SpecError(
        f"{source}: expected at most {MOST_VALUES:,} values, got more; does an alias (*name) stand "
        "for others again and again?"
    )


def _plain(node: object, depth: int, budget: Iterator[None], source: str) -> object:
    next(budget)
    if depth > DEEPEST:
        raise SpecError(
            f"{source}: expected at most {DEEPEST} levels, got more; does an alias (*name) stand "
            "for itself?"
        )
    if isinstance(node, Mapping):
        return {
            _text(str(k), source): _plain(v, depth + 1, budget, source) for k, v in node.items()
        }
    if isinstance(node, (list, tuple)):
        return [_plain(value, depth + 1, budget, source) for value in node]
    for plain_type in (bool, int, float):  # bool first: it is a kind of int
        if isinstance(node, plain_type):
            return plain_type(node)
    return _text(str(node), source) if isinstance(node, str) else node


def _text(text: str, source: str) -> str:
    """Return a text that can be written.

    Raises:
        SpecError: it has half of a character, which no file and no terminal takes.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise SpecError(f"{source}: {half_in_words(error)}") from None
    return text
