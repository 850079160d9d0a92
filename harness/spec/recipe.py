"""Recipes: everything that fixes one training run but its seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, PlainSerializer, WrapValidator, field_validator, model_validator

from harness.core.errors import SpecError
from harness.spec.base import Spec
from harness.spec.component import Component, External, PartOf, parse_part
from harness.spec.space import Count, Space, parse_space

DataPart = Annotated[Component, PartOf("data")]
ModelPart = Annotated[Component, PartOf("model")]
LossPart = Annotated[Component, PartOf("loss")]
OptimizerPart = Annotated[Component, PartOf("optimizer")]
RegularizerPart = Annotated[Component, PartOf("regularizer")]
SchedulePart = Annotated[Component, PartOf("schedule")]
InitPart = Annotated[Component, PartOf("init")]

LENGTHS = ("epochs", "steps", "samples", "gradients")
"""The fields that say how long a run is; a recipe has one of them."""


def _batch_size(value: Any, _: Any) -> Any:
    space = parse_space(value)
    if space is not None or value == "full":
        return space or value
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"expected a whole number from 1, 'full' or a space, got {value!r}")
    return value


def _plain(value: Any) -> Any:
    return value.dump() if isinstance(value, Space) else value


T = TypeVar("T")
BatchSize = Annotated[T, WrapValidator(_batch_size), PlainSerializer(_plain)]


class Recipe(Spec):
    """Everything that fixes one training run but its seed."""

    data: DataPart
    """Data set, by name or with options."""
    model: ModelPart | None = None
    """Network; needed for all data but functions to be minimised."""
    loss: LossPart | None = None
    """Loss; by default cross-entropy for classes, mean squared error for numbers."""
    optimizer: OptimizerPart
    """Update rule with its hyperparameters."""
    batch_size: BatchSize[int | Literal["full"] | Space] = 32
    """Samples in an update, or "full" for the whole training set."""
    batch_order: Literal["reshuffled", "fixed", "sequential"] = "reshuffled"
    """New random order every epoch, one random order for all epochs, or the order of the data."""
    drop_last: bool = False
    """Leave out the last batch of an epoch when it is smaller."""
    epochs: Count | None = None
    """Length of training in passes over the training set."""
    steps: Count | None = None
    """Length of training in updates; give one of the lengths."""
    samples: Count | None = None
    """Length of training in samples seen: the same work for every batch size."""
    gradients: Count | None = None
    """Length of training in gradients of single samples: as ``samples``, but an optimizer that computes several
    gradients an update, such as LBFGS, gets fewer updates."""
    schedule: SchedulePart = Field(default_factory=lambda: parse_part("schedule", "Constant"))
    """Learning rate over training."""
    regularizers: tuple[RegularizerPart, ...] = ()
    """Regularizers, each kind at most once."""
    init: InitPart = Field(default_factory=lambda: parse_part("init", "Default"))
    """Initial weights."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of weights and arithmetic."""
    amp: bool = False
    """Compute the forward pass in bfloat16 where that is safe."""
    device: str = Field(default="auto", pattern=r"^(auto|cpu|cuda(:\d+)?)$")
    """"auto" takes the GPU where there is one."""
    eval_every: Annotated[int, Field(ge=1)] | None = None
    """Epochs, steps or samples (what the length is given in) between evaluations; by default so that a run has about 100
    at most."""

    @field_validator("regularizers")
    @classmethod
    def _each_kind_once(cls, value: tuple[RegularizerPart, ...]) -> tuple[RegularizerPart, ...]:
        names = [r.name for r in value]
        if twice := {n for n in names if names.count(n) > 1}:
            raise ValueError(
                f"expected each regularizer at most once, got {', '.join(sorted(twice))} twice"
            )
        return value

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        given = [name for name in LENGTHS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"expected one of {', '.join(LENGTHS)}, got {' and '.join(given) or 'none'}"
            )
        return self

    def dump(self) -> dict[str, Any]:
        """Return the plain form used in YAML, JSON and run keys."""
        return self.model_dump(mode="json")

    def parts(self) -> Iterator[tuple[str, Component]]:
        """Yield ``(path, component)`` for each component, such as ``regularizers.L2``."""
        for field in type(self).model_fields:
            value = getattr(self, field)
            if isinstance(value, Component):
                yield field, value
        for regularizer in self.regularizers:
            yield f"regularizers.{regularizer.name}", regularizer

    def numbers(self) -> dict[str, float]:
        """Return every numeric hyperparameter by path: what may differ within a cohort."""
        return {
            f"{path}.{name}": value
            for path, part in self.parts()
            for name, value in part.numbers().items()
        }

    def spaces(self) -> dict[str, Space]:
        """Return the spaces in the recipe by path, such as ``optimizer.lr``; a recipe without any is resolved."""
        found = {
            name: v
            for name in type(self).model_fields
            if isinstance(v := getattr(self, name), Space)
        }
        for path, part in self.parts():
            fields = part.args if isinstance(part, External) else dict(part)
            found |= {f"{path}.{name}": v for name, v in fields.items() if isinstance(v, Space)}
        return found

    def targets(self) -> tuple[object, ...]:
        """Return the objects outside the harness that the recipe's parts come from."""
        return tuple(target for _, part in self.parts() for target in part.targets())

    def settings(self) -> dict[str, Any]:
        """Return every field flat, by path: what MLflow shows as parameters."""
        flat: dict[str, Any] = {}
        for name, value in self.dump().items():
            if name == "regularizers":
                for part in self.regularizers:
                    flat |= _flatten(
                        f"regularizers.{part.name}",
                        {k: v for k, v in part.dump().items() if k != "name"} or "on",
                    )
            elif isinstance(value, Mapping) and "name" in value:
                flat[name] = value["name"]
                flat |= _flatten(name, {k: v for k, v in value.items() if k != "name"})
            else:
                flat[name] = value
        return flat

    def with_values(self, values: Mapping[str, Any]) -> Self:
        """Return the recipe with the fields at the given paths replaced; a new length takes the place of the old one.

        Raises:
            SpecError: a path names no field of this recipe.
        """
        tree = self.dump()
        if not values.keys().isdisjoint(LENGTHS):
            tree |= dict.fromkeys(LENGTHS)
        for path, value in values.items():
            put(tree, path, value)
        return type(self).model_validate(tree)


def put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted ``path`` in nested mappings; list items are found by their ``name``."""
    head, _, rest = path.partition(".")
    if not rest:
        tree[head] = value
        return
    child = tree.get(head)
    if isinstance(child, str):
        child = tree[head] = {"name": child}
    if isinstance(child, list):
        return _put_in_list(child, head, rest, value)
    if not isinstance(child, dict):
        raise SpecError(
            f"{path}: expected a field that has fields of its own, but '{head}' is {child!r}"
        )
    put(child, rest, value)


def _put_in_list(items: list[Any], head: str, rest: str, value: Any) -> None:
    for position, item in enumerate(items):
        name = item["name"] if isinstance(item, dict) else item
        if rest.startswith(f"{name}."):
            items[position] = item = item if isinstance(item, dict) else {"name": item}
            return put(item, rest.removeprefix(f"{name}."), value)
    names = [item["name"] if isinstance(item, dict) else item for item in items]
    raise SpecError(f"{head}.{rest}: expected one of the {head} {names}, got '{rest}'")


def _flatten(path: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {path: value}
    return {
        k: v for name, inner in value.items() for k, v in _flatten(f"{path}.{name}", inner).items()
    }
