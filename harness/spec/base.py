"""The base of everything that is specified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from harness.spec.error_messages import explain


class Spec(BaseModel):
    """Base of all specs: frozen, keyword-only, unknown fields refused."""

    # Infinity and NaN are no JSON: a spec that held them could not be stored and read back.
    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False
    )

    # Type checkers see the fields as arguments, which a constructor of any fields would hide.
    if not TYPE_CHECKING:

        def __init__(self, **fields: object) -> None:
            """Validate the fields; a mistake made in Python is explained as one in a file is."""
            try:
                super().__init__(**fields)
            except ValidationError as error:
                error.add_note(explain(error, None, "this", type(self)))
                raise
