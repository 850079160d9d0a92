"""Metrics given as a user's function."""

from __future__ import annotations

import re
from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, ClassVar, Literal, final

from pydantic import Field

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.core.metric_names import Declared
from harness.core.metric_table import Description, bounded_by
from harness.metrics.base import Metric
from harness.metrics.scored import Scored
from harness.spec.component import External
from harness.spec.patterns import PYTHON_NAME
from harness.spec.space import Space

if TYPE_CHECKING:
    import torch
    from torch import Tensor
else:
    torch = Lazy("torch")

_DECLARING = ("called", "larger_is_better", "least", "most", "unit", "label", "arrays")
"""Fields of the metric itself; whatever else is written beside the name goes to the function."""


@final
class ExternalMetric(External, Metric):
    """A dotted function ``(outputs, targets, **args) → number``, or a mapping of numbers by name.

    It is called member by member with a whole part of the data: outputs (N, C) as the network gives
    them, and the classes (N,) as whole numbers; or outputs and targets (N, D) of numbers.
    """

    tasks: ClassVar[tuple[str, ...]] = ("classification", "regression", "function")
    called: str | None = Field(default=None, pattern=PYTHON_NAME)
    """What it is recorded as, after the part of the data; by default the function's own name."""
    larger_is_better: bool | dict[str, bool] | None = None
    """Whether more is better; by name where the function returns several numbers. Without it the
    metric is recorded and shown, and can't be an objective, a ranking or a claim."""
    least: float | None = Field(default=None, exclude_if=lambda bound: bound is None)
    """The smallest value there can be; intervals end there, and a run that diverged counts as it
    where more is better."""
    most: float | None = Field(default=None, exclude_if=lambda bound: bound is None)
    """The largest value there can be; intervals end there."""
    unit: str = ""
    """Its unit."""
    label: str = ""
    """What figures call it."""
    arrays: Literal["numpy", "torch"] = "numpy"
    """What the function takes: NumPy arrays or torch tensors, on the CPU."""

    def __init__(self, target: object = None, /, **fields: object) -> None:
        """Refuse what can't be called, and spaces among the arguments.

        Args:
            target: the function or its dotted name, with everything else as ``fields``.
            fields: the same as in a file, or ``target``, ``args`` and the metric's own.

        Raises:
            PydanticCustomError: there is no such module or attribute.
            HarnessError: it can't be called, or an argument is a space.
        """
        super().__init__(target, **fields)
        if not callable(self.load()):
            raise HarnessError(f"metrics: expected a function, got {self.target}, which is none")
        if spaces := [name for name, value in self.args.items() if isinstance(value, Space)]:
            raise HarnessError(
                f"metrics: expected values for {self.target}, got a space for {spaces[0]}; "
                "what is measured is the same for all trials"
            )

    @property
    def recorded(self) -> str:
        """What it is called, or the last part of the dotted name."""
        own = self.target.rpartition(".")[2]
        # of an object that was given in Python and can't be imported: its name and a hash
        return self.called or re.sub(r"-[0-9a-f]{8}$", "", own)

    def dump(self) -> dict[str, object]:
        own = self.model_dump(mode="json", include=set(_DECLARING), exclude_defaults=True)
        rest = {k: v for k, v in super().dump().items() if k not in _DECLARING}
        return {**rest, **own}

    def declared(self) -> Declared:
        label = self.label or self.recorded.replace("_", " ")
        whole = bounded_by(Description(label, self.target, self.unit, None), self.least, self.most)
        if not isinstance(self.larger_is_better, dict):
            return {self.recorded: whole._replace(larger_is_better=self.larger_is_better)}
        single = {
            f"{self.recorded}/{name}": whole._replace(
                label=f"{whole.label} {name}", larger_is_better=more
            )
            for name, more in self.larger_is_better.items()
        }
        return {self.recorded: whole, **single}

    def measure(self, scored: Scored) -> dict[str, Tensor]:
        targets = scored.target if scored.numbers else scored.classes_N
        by_member = [self._call(out_NC, targets) for out_NC in scored.out_KNC]
        device = scored.out_KNC.device
        return {
            name: torch.tensor(
                [own.get(name, torch.nan) for own in by_member], dtype=torch.float64, device=device
            )
            for name in dict.fromkeys(name for own in by_member for name in own)
        }

    def _call(self, out_NC: Tensor, targets: Tensor) -> dict[str, float]:
        """Return what the function gives for one member, by recorded name.

        Raises:
            HarnessError: it gives neither a number nor numbers by name.
        """
        # copies: what a user's function writes into is its own
        given = [tensor.detach().cpu().clone() for tensor in (out_NC, targets)]
        arrays = [tensor.numpy() for tensor in given] if self.arrays == "numpy" else given
        result = self.load()(*arrays, **self.arguments())
        named = result if isinstance(result, Mapping) else {"": result}
        return {
            f"{self.recorded}/{name}" if name else self.recorded: self._number(value)
            for name, value in named.items()
        }

    def _number(self, value: object) -> float:
        """Return a float, or a single number of NumPy's or torch's, as Python's."""
        single = getattr(value, "size", None) == 1 or (
            hasattr(value, "numel") and value.numel() == 1
        )
        if isinstance(value, Real) or single:
            return float(value)  # type: ignore[arg-type]
        raise HarnessError(
            f"recipe.metrics: expected a number of {self.target}, or numbers by name, got "
            f"{type(value).__name__}"
        )
