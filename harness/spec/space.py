"""Spaces: distributions that stand in the place of a recipe's value.

A field takes one where its type says so: ``float | Space`` with the mark :class:`Tunable`, or one
of the ready types at the end of this module. What is drawn from a space, and how, is the tuner's
(:mod:`harness.protocol.tuner`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError, core_schema

from harness.core.errors import HarnessError
from harness.core.parameter_layout import Role
from harness.spec.error_words import mistake_in_words
from harness.spec.field_docs import Documented
from harness.spec.outermost import explained, inside
from harness.spec.plain import plain_option

Scalar = float | int | str | bool


class Space(Documented):
    """A distribution over the values of one field.

    Written ``LogUniform(1e-3, 1.0)`` in Python and ``{log_uniform: [1e-3, 1.0]}`` in YAML.
    """

    # Infinity and NaN are no JSON: a space that held them could not be stored and read back.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    tag: ClassVar[str]
    """Its name in YAML and JSON."""

    def _fill(self, **fields: object) -> None:
        """Validate the fields.

        Raises:
            SpecError: they make no space, such as a low end above the high one.
        """
        with explained(self._explain):
            # of BaseModel, since the constructors of subclasses come here
            BaseModel.__init__(self, **fields)

    def _explain(self, error: ValidationError) -> str:
        mistakes = [
            ": ".join([*map(str, item["loc"]), mistake_in_words(item)]) for item in error.errors()
        ]
        return f"this {type(self).__name__} is not valid: {'; '.join(mistakes)}"

    def dump(self) -> dict[str, list[object]]:
        """Return the form used in YAML and JSON: the tag, with the arguments in a list.

        >>> LogUniform(0.001, 1.0).dump()
        {'log_uniform': [0.001, 1.0]}
        """
        return {self.tag: list(self.arguments())}

    def arguments(self) -> tuple[object, ...]:
        """Return the positional arguments that rebuild this space: ``(low, high)``, or a choice's
        options."""
        return tuple(getattr(self, name) for name in type(self).model_fields)

    def examples(self) -> tuple[object, ...]:
        """Return values of this space, such that a field that takes them all takes every other."""
        return self.arguments()

    def __str__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self.arguments()))})"


INNER = 0.381966
"""Where between its ends a continuous space is tried out: its values there are hardly ever whole
numbers."""


class Range(Space):
    """A space between two numbers."""

    low: float
    """Smallest value."""
    high: float
    """Largest value."""

    def __init__(self, low: float, high: float) -> None:
        # handed on by names, which pydantic takes alone: Uniform(0.1, 0.9) reads better
        self._fill(low=low, high=high)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"expected low < high, got {self.low} and {self.high}")
        return self

    def examples(self) -> tuple[object, ...]:
        # an inner point too: whole numbers and truth values would take 1.0 and 8.0 alone
        return self.low, self.high, self.low + (self.high - self.low) * INNER


class Uniform(Range):
    """Every value between ``low`` and ``high`` is equally likely: x = low + (high − low) u, with u
    uniform in [0, 1]."""

    tag = "uniform"


class LogUniform(Range):
    """The logarithm is uniform: x = low (high / low)^u, with u uniform in [0, 1].

    Each power of ten is as likely as any other. ``low`` must be positive.
    """

    tag = "log_uniform"
    low: float = Field(gt=0)


class IntUniform(Range):
    """Every integer from ``low`` to ``high`` inclusive is equally likely."""

    tag = "int_uniform"
    low: int
    high: int

    # declared for type checkers: whole numbers only
    def __init__(self, low: int, high: int) -> None:
        super().__init__(low, high)

    def examples(self) -> tuple[object, ...]:
        return self.arguments()


class Choice(Space):
    """One of the options, all equally likely.

    Options may be of any type that JSON holds, None, lists and mappings too, and keep it: 1, 1.0
    and True are three options. Samplers know no order among them.
    """

    tag = "choice"
    options: tuple[object, ...] = Field(min_length=1)
    """The values to choose from, each as JSON holds it: a tuple as a list."""

    def __init__(self, *options: object) -> None:
        self._fill(options=options)

    @field_validator("options")
    @classmethod
    def _plain_and_different(cls, options: tuple[object, ...]) -> tuple[object, ...]:
        plain = tuple(plain_option(option) for option in options)
        texts = [_text(option) for option in plain]
        for option, text in zip(options, texts, strict=True):
            if parse_space(option) is not None:
                raise ValueError(
                    f"expected values to choose from, got the space {parse_space(option)}"
                )
            if texts.count(text) > 1:
                raise ValueError(f"expected different options, got {option!r} twice")
        return plain

    def arguments(self) -> tuple[object, ...]:
        return self.options

    # Python takes 1, 1.0 and True for equal, and lists have no hash: choices go by their text.
    def __eq__(self, other: object) -> bool:
        return isinstance(other, Choice) and _text(self.options) == _text(other.options)

    def __hash__(self) -> int:
        return hash(_text(self.options))


def largest_of(value: object) -> object:
    """Return the largest number that a field may come to have; other values as they are.

    >>> largest_of(3), largest_of(IntUniform(1, 4)), largest_of(Choice(2, 8, "full"))
    (3, 4, 8)
    """
    if isinstance(value, Range):
        return value.high
    if isinstance(value, Choice):
        return max(
            (option for option in value.options if isinstance(option, int | float)), default=0
        )
    return value


def _text(plain: object) -> str:
    """Return a plain value as text, which equal values of equal types share."""
    return json.dumps(plain, sort_keys=True)


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
"""The classes by their names in YAML and JSON."""


def parse_space(value: object) -> Space | None:
    """Return the space that ``value`` stands for, or None if it is an ordinary value.

    Args:
        value: a space, or a mapping of a space's tag to the list of its arguments; a mapping with
            any other key is an ordinary value.

    Raises:
        PydanticCustomError: it names a space, but not with a list of its arguments after it.
        ValidationError: the arguments make no space, such as a low end above the high one.

    >>> parse_space({"uniform": [0.8, 0.99]}), parse_space(0.9)
    (Uniform(low=0.8, high=0.99), None)
    """
    if isinstance(value, Space):
        return value
    if not isinstance(value, Mapping) or len(value) != 1:
        return None
    [(tag, arguments)] = value.items()
    if tag not in SPACES:
        return None
    if not isinstance(arguments, (list, tuple)):
        raise PydanticCustomError(
            "space", "expected a list after '{tag}', such as [0.001, 1.0]", {"tag": tag}
        )
    try:
        with inside():
            return SPACES[tag](*arguments)
    except TypeError:  # the constructor's own: too few arguments, or too many
        count = {"expected": "two numbers [low, high]", "tag": tag, "got": len(arguments)}
        raise PydanticCustomError(
            "space", "expected {expected} after '{tag}', got {got} values", count
        ) from None


@dataclass(frozen=True)
class Tunable:
    """Marks a field that takes a value or a :class:`Space`; the bounds hold for the value and for
    the space's ends, or each of a choice's options.

    Used as ``Annotated[float | Space, Tunable(hyper=True, gt=0)]``, the type of the value first.
    """

    hyper: bool = False
    """True for a number that may differ between the members of one cohort."""
    # Bounds as pydantic's Field names them: greater than, at least, less than, at most.
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        # ``float`` of ``float | Space``; to pydantic a source may be anything, so it is Any here
        value_type = source.__args__[0]
        plain = handler.generate_schema(self._bounded(value_type))
        serializer = core_schema.plain_serializer_function_ser_schema(plain_value)
        # A wrap validator sees the raw value first, and calls the type's own where that is due.
        return core_schema.no_info_wrap_validator_function(
            _check_value_or_space, plain, serialization=serializer
        )

    def _bounded(self, value_type: object) -> object:
        """Return the type with this mark's bounds."""
        bounds = {name: getattr(self, name) for name in ("gt", "ge", "lt", "le")}
        given = {name: bound for name, bound in bounds.items() if bound is not None}
        return Annotated[value_type, Field(**given)] if given else value_type


def _check_value_or_space(
    value: object, validate: core_schema.ValidatorFunctionWrapHandler
) -> object:
    """Return a value that fits its field, or a space whose ends, or options, all fit it.

    Args:
        value: as given.
        validate: pydantic's validator of the field without spaces.
    """
    space = parse_space(value)
    if space is None:
        return validate(value)
    return check_space(space, validate)


def check_space(space: Space, validate: Callable[[object], object]) -> Space:
    """Return a space all of whose values fit its field.

    Args:
        space: the space.
        validate: of the field's values; it raises where one does not fit.

    Raises:
        PydanticCustomError: a value does not fit; the message says which.
    """
    for value in space.examples():
        try:
            validate(value)
        except ValidationError as error:
            said = {
                "space": str(space),
                "value": repr(value),
                "said": mistake_in_words(error.errors()[0]),
            }
            raise PydanticCustomError("space", "{said}, got {value} of {space}", said) from None
    return space


def plain_value(value: object) -> object:
    """Return a value as it is, or a space as YAML and JSON hold it."""
    return value.dump() if isinstance(value, Space) else value


# The types of parts' fields. A number that is ``hyper`` is a tensor with an entry for each member
# of a cohort; counts and widths change shapes, and runs that differ in them train apart.
Positive = Annotated[float | Space, Tunable(hyper=True, gt=0)]
NonNegative = Annotated[float | Space, Tunable(hyper=True, ge=0)]
Fraction = Annotated[float | Space, Tunable(hyper=True, ge=0, lt=1)]
Real = Annotated[float | Space, Tunable(hyper=True)]
Count = Annotated[int | Space, Tunable(ge=1)]
LengthValue = Annotated[int | Space, Tunable(ge=1, le=10**12)]
Flag = Annotated[bool | Space, Tunable()]
Exempt = Annotated[tuple[Role, ...] | Space, Tunable()]
Width = Annotated[tuple[Annotated[int, Field(ge=1)], ...] | Space, Tunable()]
