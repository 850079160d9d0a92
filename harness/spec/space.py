"""Spaces: distributions that stand in the place of a recipe's value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, model_validator
from pydantic_core import PydanticCustomError, core_schema

from harness.core.errors import HarnessError

Scalar = float | int | str | bool


class Space(BaseModel):
    """A distribution over the values of one field."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
    tag: ClassVar[str]

    def dump(self) -> dict[str, list[Any]]:
        """Return the form used in YAML and JSON, such as ``{log_uniform: [1e-3, 1.0]}``."""
        return {self.tag: list(self.arguments())}

    def arguments(self) -> tuple[Any, ...]:
        """Return the positional arguments that rebuild this space."""
        return tuple(getattr(self, name) for name in type(self).model_fields)

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self.arguments()))})"


class _Interval(Space):
    low: float
    """Smallest value."""
    high: float
    """Largest value."""

    def __init__(self, low: float, high: float) -> None:
        BaseModel.__init__(self, low=low, high=high)

    @model_validator(mode="after")
    def _ordered(self) -> _Interval:
        if not self.low < self.high:
            raise ValueError(f"expected low < high, got {self.low} and {self.high}")
        return self


class Uniform(_Interval):
    """Every value between ``low`` and ``high`` is equally likely."""

    tag = "uniform"


class LogUniform(_Interval):
    """Every factor between ``low`` and ``high`` is equally likely; ``low`` must be positive."""

    tag = "log_uniform"
    low: float = Field(gt=0)


class IntUniform(_Interval):
    """Every integer from ``low`` to ``high`` inclusive is equally likely."""

    tag = "int_uniform"
    low: int
    high: int

    def __init__(self, low: int, high: int) -> None:
        super().__init__(low, high)


class Choice(Space):
    """One of the options, all equally likely."""

    tag = "choice"
    options: tuple[Any, ...] = Field(min_length=1)
    """The values to choose from."""

    def __init__(self, *options: Any) -> None:
        BaseModel.__init__(self, options=options)

    def arguments(self) -> tuple[Any, ...]:
        return self.options


_T = TypeVar("_T")


def value_of(field: _T | Space, path: str) -> _T:
    """Return a field's value where no space may stand any more, as when one run is built.

    Args:
        field: what the spec holds: a value or a space.
        path: where, such as ``model.widths``, for the error.

    Raises:
        HarnessError: it holds a space.

    >>> value_of(0.1, "optimizer.lr")
    0.1
    """
    if isinstance(field, Space):
        raise HarnessError(
            f"{path}: expected a value, got {field}; a Study searches spaces, one run needs a value"
        )
    return field


SPACES: dict[str, type[Space]] = {cls.tag: cls for cls in (Uniform, LogUniform, IntUniform, Choice)}


def parse_space(value: object) -> Space | None:
    """Return the space that ``value`` stands for, or None if it is an ordinary value."""
    if isinstance(value, Space):
        return value
    if not (isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in SPACES):
        return None
    (tag, arguments), *_ = value.items()
    if not isinstance(arguments, (list, tuple)):
        raise PydanticCustomError(
            "space", "expected a list after '{tag}', such as [0.001, 1.0]", {"tag": tag}
        )
    try:
        return SPACES[tag](*arguments)
    except TypeError:
        count = {"expected": "two numbers [low, high]", "tag": tag, "got": len(arguments)}
        raise PydanticCustomError(
            "space", "expected {expected} after '{tag}', got {got} values", count
        ) from None


@dataclass(frozen=True)
class Tunable:
    """Marks a field that takes a value or a :class:`Space`; the bounds hold for the value and for
    the space's ends.
    """

    hyper: bool = False
    """True for a number that may differ between the members of one cohort."""
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        plain = handler.generate_schema(self._bounded(source.__args__[0]))

        def check(value: Any, validate: core_schema.ValidatorFunctionWrapHandler) -> Any:
            space = parse_space(value)
            if space is None:
                return validate(value)
            for end in space.arguments():
                validate(end)
            return space

        serializer = core_schema.plain_serializer_function_ser_schema(
            lambda v: v.dump() if isinstance(v, Space) else v
        )
        return core_schema.no_info_wrap_validator_function(check, plain, serialization=serializer)

    def _bounded(self, value_type: Any) -> Any:
        bounds = {k: v for k in ("gt", "ge", "lt", "le") if (v := getattr(self, k)) is not None}
        return Annotated[value_type, Field(**bounds)] if bounds else value_type


Positive = Annotated[float | Space, Tunable(hyper=True, gt=0)]
NonNegative = Annotated[float | Space, Tunable(hyper=True, ge=0)]
Fraction = Annotated[float | Space, Tunable(hyper=True, ge=0, lt=1)]
Real = Annotated[float | Space, Tunable(hyper=True)]
Count = Annotated[int | Space, Tunable(ge=1)]
Width = Annotated[tuple[Annotated[int, Field(ge=1)], ...] | Space, Tunable()]
