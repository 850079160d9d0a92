"""A flag's value that does not fit, in the words of this house: Typer's are pydantic's."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand


class FlagsInWords(TyperCommand):
    """A command whose flags are refused as fields of specs are: which, what was expected, and what
    was got."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the context with the values of the flags.

        Raises:
            SpecError: a value is of another type, or out of bounds.
        """
        try:
            return super().make_context(*args, **kwargs)
        except typer.BadParameter as error:
            _refuse_value(error)
            raise


def _refuse_value(error: typer.BadParameter) -> None:
    """Refuse what pydantic has refused; a file that is missing and the like Typer tells itself.

    Raises:
        SpecError: so it has.
    """
    from pydantic import ValidationError  # loaded already, where it has refused something

    from harness.core.errors import SpecError
    from harness.spec.error_words import mistake_in_words

    cause = error.__cause__
    if not isinstance(cause, ValidationError) or error.param is None:
        return
    (mistake, *_) = cause.errors()
    flag = max(error.param.opts, key=len)
    raise SpecError(f"{flag}: {mistake_in_words(mistake)}, got {mistake['input']!r}") from None
