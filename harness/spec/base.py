"""The base of everything that is specified: recipes, their parts, searches, claims, studies.

:class:`harness.spec.space.Space` alone is no Spec, since its arguments are positional.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.spec.error_messages import explain


class Spec(BaseModel):
    """Base of all specs: frozen, keyword-only, unknown fields refused.

    The string under a field is its documentation, in the code as in the JSON schema. A ``dump`` or
    ``model_dump`` goes into run keys: a new field or default trains everything again.
    """

    # Infinity and NaN are no JSON: a spec that held them could not be stored and read back.
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    # Type checkers see the fields as arguments, which a constructor of any fields would hide.
    if not TYPE_CHECKING:

        def __init__(self, **fields: object) -> None:
            """Validate the fields; a mistake made in Python is explained as one in a file is.

            Raises:
                ValidationError: with every mistake; a note to it lists them in words.
            """
            try:
                super().__init__(**fields)
            except ValidationError as error:
                # A note and not another error: a spec inside another one is validated by this
                # constructor too, and pydantic must see its own errors to add their places.
                error.add_note(explain(error, None, "this", type(self)))
                raise
