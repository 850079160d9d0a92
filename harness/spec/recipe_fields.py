"""Types of a recipe's fields, each with what it checks."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WrapValidator

from harness.spec.component import Component
from harness.spec.metrics import MetricPart, check_names, expand_names
from harness.spec.part_field import PartOf
from harness.spec.space import check_space, parse_space, plain_value

DataPart = Annotated[Component, PartOf("data")]
ModelPart = Annotated[Component, PartOf("model")]
LossPart = Annotated[Component, PartOf("loss")]
OptimizerPart = Annotated[Component, PartOf("optimizer")]
SchedulePart = Annotated[Component, PartOf("schedule")]
AveragePart = Annotated[Component, PartOf("average")]
InitPart = Annotated[Component, PartOf("init")]


def _check_batch_size(value: object, _: object) -> object:
    """Return a batch size as it is kept: a whole number, "full" or a space.

    Args:
        value: as given.
        _: pydantic's own validator, which is left out: of a union of a number, a word and a space
            it would report the mistakes of all three.
    """
    space = parse_space(value)
    if space is not None:
        return check_space(space, lambda size: _check_batch_size(size, None))
    if value == "full":
        return value
    # True and False are integers to Python; a batch of True samples is a mistake.
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"expected a whole number from 1, 'full' or a space, got {value!r}")
    return value


_Allowed = TypeVar("_Allowed")
BatchSize = Annotated[_Allowed, WrapValidator(_check_batch_size), PlainSerializer(plain_value)]
"""A field for a batch size; its argument tells type checkers whether spaces are allowed. It is not
looked at when a value is checked: :class:`~harness.spec.resolved.ResolvedRecipe` refuses spaces."""


def _read_amp(value: object) -> object:
    """Return mixed precision as it is kept: one value for one meaning, so that runs which were
    recorded with True keep their keys."""
    if value == "bf16":
        return True
    # said here, since a union would report the mistakes of both of its types
    if (space := parse_space(value)) is not None:
        raise ValueError(
            f"expected a value, got {space}; compare its values as the levels of a factor"
        )
    if not isinstance(value, bool) and value != "fp16":
        raise ValueError(f"expected true, false, 'bf16' or 'fp16', got {value!r}")
    return value


Amp = Annotated[bool | Literal["fp16"], BeforeValidator(_read_amp)]
"""A field for mixed precision; "bf16" is another name of True."""


def _no_space_of_lists(value: object) -> object:
    # pydantic would take a space, which goes through its own fields, for a list
    if (space := parse_space(value)) is not None:
        raise ValueError(
            f"expected a list of regularizers, got {space}; lists are compared as the levels "
            "of a factor, and spaces stand in a regularizer's fields"
        )
    return value


def _each_kind_once(value: tuple[Component, ...]) -> tuple[Component, ...]:
    names = [r.name for r in value]
    if twice := {n for n in names if names.count(n) > 1}:
        raise ValueError(
            f"expected each regularizer at most once, got {', '.join(sorted(twice))} twice"
        )
    return value


Regularizers = Annotated[
    tuple[Annotated[Component, PartOf("regularizer")], ...],
    BeforeValidator(_no_space_of_lists),
    AfterValidator(_each_kind_once),
]
"""A field for regularizers, each kind at most once."""


def _of_their_own_names(value: tuple[MetricPart, ...]) -> tuple[MetricPart, ...]:
    check_names(value)
    return value


Metrics = Annotated[
    tuple[MetricPart, ...], BeforeValidator(expand_names), AfterValidator(_of_their_own_names)
]
"""A field for metrics, short names among them, each recorded under a name of its own."""
