"""Recipes: everything that fixes one training run but its seed.

A recipe may hold spaces where a study searches; :mod:`harness.spec.resolved` has the type without
them, which is what is trained. The plain form (:meth:`Recipe.dump`) is in the key of every run: a
new field, or another default, trains everything again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticKnownError

from harness.core.metric_names import Declared
from harness.spec.base import Spec
from harness.spec.component import Component, External, as_a, parse_part
from harness.spec.group import Group
from harness.spec.metrics import DeclaredMetric, declared_by
from harness.spec.own_trainer import (
    Config,
    OwnOptimizer,
    TrainerPart,
    Unset,
    config_text,
    is_unset,
    own_data,
)
from harness.spec.paths import flatten, put
from harness.spec.patterns import DEVICE
from harness.spec.recipe_fields import (
    Amp,
    AveragePart,
    BatchSize,
    DataPart,
    InitPart,
    LossPart,
    Metrics,
    ModelPart,
    OptimizerPart,
    Regularizers,
    SchedulePart,
)
from harness.spec.space import LengthValue, Space, Tunable

LENGTHS = ("epochs", "steps", "samples", "gradients", "seconds")
"""The fields that say how long a run is; a recipe has one of them. Gradients are counted by the
harness's trainer alone, seconds are for a user's own."""


class Recipe(Spec):
    """Everything that fixes one training run but its seed."""

    trainer: TrainerPart | None = Field(default=None, exclude_if=lambda trainer: trainer is None)
    """Training loop of your own: a function's dotted name, or ``{"command": "python train.py"}``.
    It is given the rest of the recipe, of which it needs neither data nor optimizer."""
    config: Config = Field(default={}, exclude_if=lambda config: not config)
    """What the trainer of your own reads, by names of your own; values may be spaces."""
    data: DataPart = Field(default_factory=own_data, validate_default=True, exclude_if=is_unset)
    """Data set, by name or with options; may be left to a trainer of your own."""
    model: ModelPart | None = None
    """Network; needed for all data but functions to be minimised."""
    loss: LossPart | None = None
    """Loss; by default cross-entropy for classes, mean squared error for numbers."""
    optimizer: OptimizerPart = Field(
        default_factory=OwnOptimizer, validate_default=True, exclude_if=is_unset
    )
    """Optimizer with its hyperparameters; may be left to a trainer of your own."""
    batch_size: BatchSize[int | Literal["full"] | Space] = 32
    """Samples in an update, or "full" for the whole training set."""
    accumulate: int = Field(default=1, ge=1, exclude_if=lambda count: count == 1)
    """Micro-batches that the gradient of a batch is computed from, one after the other: the same
    numbers with less memory."""
    batch_order: Literal["reshuffled", "fixed", "sequential"] = "reshuffled"
    """New random order every epoch, one random order for all epochs, or the order of the data."""
    drop_last: bool = False
    """Leave out the last batch of an epoch when it is smaller."""
    epochs: LengthValue | None = None
    """Length of training in passes over the training set."""
    steps: LengthValue | None = None
    """Length of training in updates; give one of the lengths."""
    samples: LengthValue | None = None
    """Length of training in samples seen: the same work for every batch size."""
    gradients: LengthValue | None = None
    """Length of training in gradients of single samples: as ``samples``, but an optimizer that
    computes several gradients an update, such as LBFGS, gets fewer updates."""
    seconds: Annotated[float | Space, Tunable(gt=0)] | None = Field(
        default=None, exclude_if=lambda seconds: seconds is None
    )
    """Length of training in seconds, for a trainer of your own."""
    groups: dict[str, Group] = Field(default={}, exclude_if=lambda groups: not groups)
    """Learning rates and decays of their own, by patterns over the parameters' names, such as
    ``{"*.bias": {"lr": 0.1}}``; the plain form has the field only where there are any."""
    schedule: SchedulePart = Field(default_factory=lambda: parse_part("schedule", "Constant"))
    """Learning rate over training."""
    average: AveragePart | None = Field(default=None, exclude_if=lambda average: average is None)
    """Average of the weights over training, which the run is evaluated at."""
    regularizers: Regularizers = ()
    """Regularizers, each kind at most once."""
    metrics: Metrics = Field(default=(), exclude_if=lambda metrics: not metrics)
    """What is measured at each evaluation beside loss and accuracy, over whole parts of the data;
    the plain form has the field only where there are any."""
    init: InitPart = Field(default_factory=lambda: parse_part("init", "Default"))
    """Initial weights."""
    parametrization: Literal["standard", "mup"] = Field(
        default="standard", exclude_if=lambda name: name == "standard"
    )
    """How starts and learning rates go with the width: as ``init`` and ``optimizer`` say, or so
    that the best rate stays where it is, "mup" (Yang et al. 2022)."""
    base_width: int = Field(default=64, ge=1, exclude_if=lambda width: width == 64)
    """Width at which "mup" is the standard parametrization."""
    dtype: Literal["float32", "float64"] = "float32"
    """Precision of weights and arithmetic."""
    amp: Amp = False
    """Compute the forward pass in bfloat16 where that is safe, or with "fp16" in float16 and with
    dynamic loss scaling; "bf16" is another name of True."""
    compile: bool = Field(default=False, exclude_if=lambda compiled: not compiled)
    """Compute gradients by passes that ``torch.compile`` makes, for large runs: each trains alone,
    and its first updates wait for the compiler. Other bits, and so other keys."""
    processes: int = Field(default=1, ge=1, exclude_if=lambda count: count == 1)
    """Processes that train one run together, for large runs: each takes its share of every batch
    (data parallel), on a GPU of its own where there are GPUs. The numbers but for rounding, and so
    other keys."""
    device: str = Field(default="auto", pattern=DEVICE)
    """"auto" takes the GPU where there is one."""
    eval_every: Annotated[int, Field(ge=1)] | None = None
    """Epochs, steps or samples (what the length is given in) between evaluations; by default so
    that a run has about 100 at most."""

    @field_validator("data", "optimizer")
    @classmethod
    def _left_out_only_with_a_trainer(cls, value: Component, info: ValidationInfo) -> Component:
        # a trainer that is wrong itself is not among the data: one mistake is told and not three
        if isinstance(value, Unset) and info.data.get("trainer", value) is None:
            raise PydanticKnownError("missing")
        return value

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        other = "gradients" if self.trainer is not None else "seconds"
        allowed = [name for name in LENGTHS if name != other]
        given = [name for name in LENGTHS if getattr(self, name) is not None]
        if len(given) != 1 or given[0] not in allowed:
            raise ValueError(
                f"expected one of {', '.join(allowed)}, got {' and '.join(given) or 'none'}"
            )
        return self

    @model_validator(mode="after")
    def _config_is_read(self) -> Self:
        if self.config and self.trainer is None:
            raise ValueError(
                "config: expected a trainer of your own beside it, which reads it, got none; "
                "set trainer, or give each part its own fields"
            )
        return self

    @model_validator(mode="after")
    def _base_width_of_mup(self) -> Self:
        if self.base_width != 64 and self.parametrization == "standard":
            raise ValueError(
                f"base_width: expected parametrization 'mup' beside it, got {self.base_width} and"
                " 'standard'; leave it out"
            )
        return self

    def __hash__(self) -> int:
        # the groups are a dictionary, which the hash that pydantic makes of all fields refuses, and
        # so is the config
        groups, config = frozenset(self.groups.items()), config_text(self.config)
        rest = (v for name, v in self if name not in ("groups", "config"))
        return hash((groups, config, *rest))

    def dump(self) -> dict[str, object]:
        """Return the plain form used in YAML, JSON and run keys.

        Returns:
            Every field, those at their defaults too; parts as mappings with their ``name``, spaces
            as :meth:`Space.dump` writes them. ``model_validate`` turns it into an equal recipe.
        """
        return self.model_dump(mode="json")

    def parts(self) -> Iterator[tuple[str, Component]]:
        """Yield ``(path, component)`` for each component, such as ``regularizers.L2``.

        Single parts come first, in the order of the fields, and then the regularizers; a part that
        is left to its default (``model``, ``loss``) and a space in a part's place are passed over.
        """
        for field in type(self).model_fields:
            value = getattr(self, field)
            if isinstance(value, Component):
                yield field, value
        for regularizer in self.regularizers:
            yield f"regularizers.{regularizer.name}", regularizer

    def numbers(self) -> dict[str, float]:
        """Return every numeric hyperparameter by path: what may differ within a cohort.

        Returns:
            Values by path, such as ``{"optimizer.lr": 0.1}``.

        Raises:
            TypeError: one of them is a space; the recipe must be resolved.
        """
        named: list[tuple[str, Component | Group]] = [*self.parts(), *self._named_groups()]
        return {
            f"{path}.{name}": value
            for path, part in named
            for name, value in part.numbers().items()
        }

    def _named_groups(self) -> Iterator[tuple[str, Group]]:
        """Yield ``(path, group)`` for each group of parameters, such as ``groups.*.bias``."""
        for pattern, group in self.groups.items():
            yield f"groups.{pattern}", group

    def spaces(self) -> dict[str, Space]:
        """Return the spaces in the recipe by path; a recipe without any is resolved.

        Returns:
            Spaces by path, such as ``optimizer.lr``, the recipe's own fields before its parts'.
        """
        return {path: v for path, v in self.fields_by_path().items() if isinstance(v, Space)}

    def fields_by_path(self) -> dict[str, object]:
        """Return every field that may hold a space, by the paths of :meth:`spaces`.

        Returns:
            Values by path as the specs hold them: one that is a mapping stays whole, other than in
            :meth:`settings`. Fields with parts are among them, with their parts.
        """
        fields: dict[str, object] = dict(self) | flatten("config", self.config)
        for path, part in self.parts():
            # Not the plain form, in which a space is a mapping like others. What an outside part
            # is given lies one level deeper than its path says.
            own = part.args if isinstance(part, External) else dict(part)
            fields |= {f"{path}.{name}": value for name, value in own.items()}
        for path, group in self._named_groups():
            fields |= {f"{path}.{name}": value for name, value in dict(group).items()}
        return fields

    def targets(self) -> tuple[object, ...]:
        """Return the classes and functions outside the harness that the recipe's parts and
        metrics come from."""
        parts = [*(part for _, part in self.parts()), *self.metrics]
        return tuple(target for part in parts for target in part.targets())

    @property
    def declared(self) -> Declared:
        """What the metrics declare of themselves, by recorded name."""
        return declared_by(self.metrics)

    def settings(self) -> dict[str, object]:
        """Return every field flat, by path: what MLflow shows as parameters.

        Returns:
            Plain values by path; a part's name stands at the path of the part. The columns of
            ``results.runs`` and the paths of a trial's values are the same.

        >>> from harness import L2, SGD
        >>> parts = {"optimizer": SGD(lr=0.1), "regularizers": [L2(strength=0.3)]}
        >>> flat = Recipe(data="iris", epochs=3, **parts).settings()
        >>> flat["optimizer"], flat["optimizer.lr"], flat["regularizers.L2.strength"]
        ('SGD', 0.1, 0.3)
        """
        flat: dict[str, object] = {}
        for name, value in self.dump().items():
            if name == "regularizers":
                for part in self.regularizers:
                    # One without fields of its own would leave no trace.
                    flat |= flatten(f"regularizers.{part.name}", _fields_of(part.dump()) or "on")
            elif name in ("groups", "config"):
                flat |= flatten(name, value)
            elif name == "metrics":  # what is measured, and nothing that can be set otherwise
                flat[name] = ", ".join(as_a(DeclaredMetric, m).recorded for m in self.metrics)
            elif isinstance(value, Mapping) and "name" in value:
                flat |= {name: value["name"], **flatten(name, _fields_of(value))}
            else:
                flat[name] = value
        return flat

    def with_values(self, values: Mapping[str, object]) -> Self:
        """Return the recipe with the fields at the given paths replaced; a new length takes the
        place of the old one.

        Args:
            values: new values by path, such as ``{"optimizer.lr": 0.1}``; plain, or parts and
                spaces.

        Raises:
            SpecError: a path leads through something that has no fields, to no item of a list, or
                to no field, or a value does not fit its field.

        >>> from harness import SGD
        >>> recipe = Recipe(data="iris", epochs=3, optimizer=SGD(lr=0.1))
        >>> changed = recipe.with_values({"optimizer.lr": 0.2, "steps": 40})
        >>> changed.optimizer.lr, changed.epochs, changed.steps
        (0.2, None, 40)
        """
        # By way of the plain form, so that every new value is validated as one in a file is;
        # pydantic's model_copy would check nothing.
        tree = self.dump()
        if not values.keys().isdisjoint(LENGTHS):
            tree |= dict.fromkeys(LENGTHS)
        for path, value in values.items():
            put(tree, path, value)
        return type(self).from_plain(tree)


def _fields_of(part: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of a part in plain form, without its name."""
    return {name: value for name, value in part.items() if name != "name"}
