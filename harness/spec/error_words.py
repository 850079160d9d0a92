"""What pydantic finds wrong with a value, in the words of this house: expected, got, and the fix.

Pydantic's own messages speak of inputs, strings and instances, and name its types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

from harness.core.errors import did_you_mean
from harness.spec.patterns import IN_WORDS

WHOLE, NUMBER, TEXT = "a whole number", "a number", "a text"
LIST, MAPPING = "a list", "names with values, such as {name: value}"

KINDS_OF_VALUES = {
    "int_parsing": WHOLE,
    "int_parsing_size": "a smaller whole number",
    "int_type": WHOLE,
    "int_from_float": WHOLE,
    "float_parsing": NUMBER,
    "float_type": NUMBER,
    "finite_number": "a finite number",
    "string_type": TEXT,
    "string_unicode": "a text of whole characters",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": LIST,
    "tuple_type": LIST,
    "set_type": LIST,
    "dict_type": MAPPING,
    "mapping_type": MAPPING,
    "model_type": MAPPING,
    "model_attributes_type": MAPPING,
    "none_required": "none",
    "missing": "a value",
}
"""What was expected, by pydantic's type of error."""

Found = Mapping[str, Any]

BOUNDS: dict[str, Callable[[Found], str]] = {
    "greater_than_equal": lambda found: f"a number of at least {found['ge']:g}",
    "greater_than": lambda found: f"a number above {found['gt']:g}",
    "less_than_equal": lambda found: f"a number of at most {found['le']:g}",
    "less_than": lambda found: f"a number below {found['lt']:g}",
    "multiple_of": lambda found: f"a multiple of {found['multiple_of']:g}",
    "string_too_long": lambda found: f"at most {found['max_length']} characters",
    "string_too_short": lambda found: f"at least {found['min_length']} characters",
    "too_short": lambda found: f"at least {found['min_length']} entries",
    "too_long": lambda found: f"at most {found['max_length']} entries",
}
"""What was expected of values with bounds, given what pydantic knows of them."""


def mistake_in_words(item: ErrorDetails) -> str:
    """Return what is wrong with a value, without the value itself.

    Args:
        item: one mistake of pydantic's.

    Returns:
        Its own message where a validator of ours has written it.
    """
    kind, found = item["type"], item.get("ctx", {})
    if kind in KINDS_OF_VALUES:
        return f"expected {KINDS_OF_VALUES[kind]}"
    if kind in BOUNDS:
        return f"expected {BOUNDS[kind](found)}"
    if kind == "string_pattern_mismatch":
        return f"expected {IN_WORDS.get(found['pattern'], 'a text of another form')}"
    if kind in ("literal_error", "enum"):
        return f"expected {found['expected']}{_nearest_choice(item, str(found['expected']))}"
    # pydantic puts this before the message of every ValueError that a validator raises
    return item["msg"].removeprefix("Value error, ")


def _nearest_choice(item: ErrorDetails, expected: str) -> str:
    """Return the choice that was meant, where the value is a misspelt one."""
    choices = [text for text in expected.split("'")[1::2] if text]
    hint = did_you_mean(str(item.get("input")), choices) if len(choices) > 1 else ""
    return f" ({hint})" if hint else ""


def half_in_words(error: UnicodeEncodeError) -> str:
    """Return what is wrong with a text that can't be written: it has half of a character (one of
    UTF-16's surrogates), which no file, store or terminal takes.

    Args:
        error: of the try to write it.
    """
    text, half = error.object[:80], ord(error.object[error.start])
    return f"expected text, got half of a character (\\u{half:x}) in {text!a}; write it whole"
