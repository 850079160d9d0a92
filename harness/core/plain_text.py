"""Text on terminals that lack some of its characters, such as ASCII ones.

A minus sign that became a question mark would change a number, so each character is shown by what
stands for it on such a terminal.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import sys
import unicodedata

HANDLER = "harness.plain"
"""The name that Python's codecs know it by."""
_LIKE = {
    "−": "-",
    "–": "-",
    "—": "-",
    "±": "+/-",
    "×": "x",
    "·": ".",
    "⋅": ".",
    "⁄": "/",
    "…": "...",
    "⋯": "...",
    "→": "->",
    "↦": "->",
    "←": "<-",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "≈": "~",
    "∝": "~",
    "∞": "inf",
    "√": "sqrt ",
    "∂": "d",
    "∇": "grad ",
    "∫": "int ",
    "∈": "in",
    "⊙": "*",
    "‖": "||",
    "′": "'",
    "″": "''",
    "⌊": "floor(",
    "⌋": ")",
    "⟨": "<",
    "⟩": ">",
    "✓": "+",
    "✗": "x",
    "✕": "x",
    "●": "*",
    "○": "o",
    "◐": "o",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "λ": "lambda",
    "Λ": "Lambda",
}
_RAISED = re.compile("[⁻⁺⁰¹²³⁴-⁹ⁿⁱᵀᵗᵉᵃᵖˣˢ]+")
_NAME = re.compile(r"(?<!\w)'(?P<quoted>[^'\n]+)'|(?P<bare>[^\s'\"]*[^\s'\",;:.)?])")
"""What may name a file in a sentence."""
_LETTER = re.compile("GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)")


def let_streams_degrade() -> None:
    """Let what is printed by this process end nothing, whatever its terminal lacks."""
    codecs.register_error(HANDLER, _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=HANDLER)


def text_shown_by(text: str, encoding: str) -> str:
    """Return what a terminal of an encoding shows of a text.

    >>> text_shown_by("α ± 1", "ascii"), text_shown_by("α ± 1", "latin-1")
    ('alpha +/- 1', 'alpha ± 1')
    """
    codecs.register_error(HANDLER, _plain)
    return text.encode(encoding, HANDLER).decode(encoding)


def copyable(name: object, encoding: str | None = None) -> str:
    r"""Return a path or a name as a terminal can show it and a shell takes it back.

    What stands for a letter would name another file: where the terminal lacks one, the bytes are
    quoted as shells read them.

    Args:
        name: a path, or the name of a study.
        encoding: of the terminal; by default that of the standard output.

    >>> print(copyable("größe's", "latin-1"), copyable("größe's", "ascii"))
    größe's $'gr\xc3\xb6\xc3\x9fe\'s'
    """
    text = str(name)
    try:
        text.encode(encoding or sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return "$'" + "".join(map(_shell_byte, _bytes_of(text))) + "'"
    return text


def with_copyable_paths(text: str, encoding: str | None = None) -> str:
    """Return text in which files and folders that are there are named as :func:`copyable` does.

    Args:
        text: such as an error's message; what names no file stays as it is.
        encoding: of the terminal; by default that of the standard output.
    """
    if text.isascii():
        return text

    def shown(found: re.Match[str]) -> str:
        name = found["quoted"] or found["bare"]
        said = copyable(name, encoding)
        return said if said != name and os.path.exists(name) else found[0]

    return _NAME.sub(shown, text)


def _bytes_of(name: str) -> bytes:
    """Return a name's bytes as the system keeps them; in UTF-8 where it can't keep them."""
    try:
        return os.fsencode(name)
    except UnicodeEncodeError:
        return name.encode(errors="replace")


def _shell_byte(byte: int) -> str:
    """Return a byte as it stands between ``$'`` and ``'``."""
    char = chr(byte)
    if char in "\\'":
        return f"\\{char}"
    return char if " " <= char <= "~" else f"\\x{byte:02x}"


def _plain(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for characters that an encoding lacks, as Python's codecs ask for it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return plain_text(lacking), error.end


def plain_text(text: str) -> str:
    """Return text in ASCII.

    >>> plain_text("−2.5 × 10⁻⁷ ± 0.1 … α ≤ 0.05, naïve 日")
    '-2.5 x 10^-7 +/- 0.1 ... alpha <= 0.05, naive ?'
    """
    return "".join(map(_character, _RAISED.sub(lambda run: f"^{run[0]}", text)))


def _character(char: str) -> str:
    if char.isascii() or char in _LIKE:
        return _LIKE.get(char, char)
    if letter := _LETTER.match(unicodedata.name(char, "")):
        return letter[2].lower() if letter[1] == "SMALL" else letter[2].capitalize()
    if unicodedata.combining(char):  # an accent
        return ""
    parts = unicodedata.normalize("NFKD", char)
    return "?" if parts == char else "".join(map(_character, parts))
