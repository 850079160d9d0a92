"""Options of the sources of runs: a misspelt one is told with the nearest there is."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from harness.analysis.results import Results
from harness.core.errors import SpecError, nearest

_Given = ParamSpec("_Given")


def named_options(source: Callable[_Given, Results]) -> Callable[_Given, Results]:
    """Return the function, refusing options that it does not have in a sentence.

    Args:
        source: takes runs of one kind; all of its options have names.
    """
    parameters = inspect.signature(source).parameters.values()
    known = [given.name for given in parameters if given.kind is given.KEYWORD_ONLY]

    @wraps(source)
    def checked(*args: _Given.args, **options: _Given.kwargs) -> Results:
        for option in options:
            if option not in known:
                raise SpecError(
                    f"Study.{source.__name__}: unknown option {option!r}: {nearest(option, known)}"
                )
        return source(*args, **options)

    return checked
