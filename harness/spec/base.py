"""The base of everything that is specified: recipes, their parts, searches, claims, studies.

:class:`harness.spec.space.Space` alone is no Spec, since its arguments are positional.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Self

from pydantic import ConfigDict

from harness.spec.error_messages import explain
from harness.spec.field_docs import Documented
from harness.spec.outermost import explained, inside


class Spec(Documented):
    """Base of all specs: frozen, keyword-only, unknown fields refused.

    The string under a field is its documentation, in the code as in the JSON schema. A ``dump`` or
    ``model_dump`` goes into run keys: a new field or default trains everything again.
    """

    # Infinity and NaN are no JSON: a spec that held them could not be stored and read back.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    # Type checkers see the fields as arguments, which a constructor of any fields would hide.
    if not TYPE_CHECKING:

        def __init__(self, **fields: object) -> None:
            """Validate the fields; a mistake made in Python is explained as one in a file is.

            Raises:
                SpecError: it lists every mistake in words.
            """
            with explained_as(type(self)):
                super().__init__(**fields)

        @classmethod
        def model_validate(cls, *given: object, **options: object) -> Self:
            """Validate as pydantic does, whose errors have the places in a file."""
            with inside():  # pydantic calls the constructor above
                return super().model_validate(*given, **options)

    @classmethod
    def from_plain(cls, tree: Mapping[str, Any]) -> Self:
        """Return the spec of a plain tree that was put together in Python.

        Raises:
            SpecError: it lists every mistake in words.
        """
        with explained_as(cls):
            return cls.model_validate(tree)


def explained_as(cls: type[Spec]) -> AbstractContextManager[None]:
    """Explain what is wrong with a spec of a class, if it is the outermost one that is made.

    Raises:
        SpecError: it lists every mistake in words.
    """
    return explained(lambda error: explain(error, None, f"this {cls.__name__}", cls))
