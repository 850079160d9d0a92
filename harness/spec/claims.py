"""Claims: statements that a study tests, declared before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from harness.core.metric_names import current_name, larger_is_better, recorded_sources
from harness.spec.base import Spec

Kind = Literal[
    "better", "faster", "no worse", "equal", "cured", "monotone", "interaction", "above", "below"
]
Unit = Literal["steps", "epochs", "samples", "seconds"]
MetricName = Annotated[str, AfterValidator(current_name), Field(pattern=r"^[a-z]\w*(/[\w.-]+)+$")]
NEEDS: dict[str, tuple[str, ...]] = {
    "better": ("arm", "than"),
    "faster": ("arm", "than", "target"),
    "no worse": ("arm", "than", "margin"),
    "equal": ("arm", "than", "margin"),
    "cured": ("arm", "than"),
    "monotone": ("factor",),
    "interaction": ("factors",),
    "above": ("arm", "value"),
    "below": ("arm", "value"),
}


class Claim(Spec):
    """A statement that the study tests, declared before anything runs.

    A metric is named as it is recorded (``test/loss``, ``valid/accuracy``, a probe's ``gradient/all``), or derived of it:
    ``gap/loss`` is test less training loss (``gap/accuracy`` training less test accuracy), ``rank_correlation/valid``
    the rank correlation of loss and accuracy over training, and ``initial/…``, ``lowest/…``, ``highest/…``
    and ``mean/…`` are taken over the curve of what follows.
    """

    kind: Kind
    """better, faster, no worse (than, by a margin), equal (within a margin), cured, monotone, interaction, above, below."""
    arm: str | None = None
    """Arm that the claim is about."""
    than: str | None = None
    """Arm it is compared with."""
    on: MetricName = "test/loss"
    """Metric compared."""
    direction: Literal["auto", "minimize", "maximize"] = "auto"
    """Which values are better; "auto" maximises accuracy and minimises everything else."""
    target: float | None = None
    """Value of ``on`` to be reached, for "faster" (and for "monotone", if it is about speed)."""
    by: Unit = "steps"
    """Unit in which speed is counted, for "faster"."""
    margin: float | None = Field(default=None, ge=0)
    """Difference that does not matter, for "no worse" and "equal"; least lead, for "better"."""
    share: float = Field(default=0.0, ge=0, lt=1)
    """Share of the base's value that must go at least, for "cured"."""
    factor: str | None = None
    """Factor whose levels are in order, for "monotone"."""
    rising: bool = True
    """Whether the metric is claimed to rise along the levels, for "monotone"."""
    factors: tuple[str, str] | None = None
    """Two factors, for "interaction"."""
    among: dict[str, str] = {}
    """Levels of other factors that the claim keeps to, for "monotone" and "interaction"."""
    value: float | None = None
    """Bound, for "above" and "below"."""
    id: str = ""
    """What the claim stands for in tables over several studies, such as F9."""

    @classmethod
    def better(
        cls, arm: str, *, than: str, on: str = "test/loss", margin: float = 0.0, **more: Any
    ) -> Claim:
        """Claim that ``arm`` ends with the better value of ``on``, by more than ``margin``."""
        return cls.model_validate(
            {"kind": "better", "arm": arm, "than": than, "on": on, "margin": margin, **more}
        )

    @classmethod
    def faster(
        cls, arm: str, *, than: str, to: tuple[str, float], by: str = "steps", **more: Any
    ) -> Claim:
        """Claim that ``arm`` needs less of ``by`` than the other to bring a metric to a value."""
        named = {"kind": "faster", "arm": arm, "than": than, "on": to[0], "target": to[1], "by": by}
        return cls.model_validate({**named, **more})

    @classmethod
    def no_worse(
        cls, arm: str, *, than: str, margin: float, on: str = "test/loss", **more: Any
    ) -> Claim:
        """Claim that ``arm`` is not behind by ``margin`` or more."""
        return cls.model_validate(
            {"kind": "no worse", "arm": arm, "than": than, "on": on, "margin": margin, **more}
        )

    @classmethod
    def equal(
        cls, arm: str, *, than: str, margin: float, on: str = "test/loss", **more: Any
    ) -> Claim:
        """Claim that two arms differ by less than ``margin``."""
        return cls.model_validate(
            {"kind": "equal", "arm": arm, "than": than, "on": on, "margin": margin, **more}
        )

    @classmethod
    def cured(
        cls, arm: str, *, of: str, on: str = "gap/loss", share: float = 0.0, **more: Any
    ) -> Claim:
        """Claim that ``arm`` takes away more than ``share`` of what the base ``of`` has of ``on`` (a gap or a loss)."""
        return cls.model_validate(
            {"kind": "cured", "arm": arm, "than": of, "on": on, "share": share, **more}
        )

    @classmethod
    def monotone(
        cls,
        factor: str,
        *,
        on: str,
        rising: bool,
        among: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Claim:
        """Claim that ``on`` rises (or falls) along the levels of ``factor``, in the order in which the study lists them.

        With a ``target``, it is what is needed of ``by`` to bring ``on`` there that rises or falls.
        """
        named = {
            "kind": "monotone",
            "factor": factor,
            "on": on,
            "rising": rising,
            "among": dict(among or {}),
        }
        return cls.model_validate({**named, **more})

    @classmethod
    def interaction(cls, first: str, second: str, *, on: str = "test/loss", **more: Any) -> Claim:
        """Claim that what one factor does to ``on`` depends on the level of the other."""
        return cls.model_validate(
            {"kind": "interaction", "factors": (first, second), "on": on, **more}
        )

    @classmethod
    def above(cls, arm: str, value: float, *, on: str, **more: Any) -> Claim:
        """Claim that the arm's mean of ``on`` is above a value."""
        return cls.model_validate({"kind": "above", "arm": arm, "value": value, "on": on, **more})

    @classmethod
    def below(cls, arm: str, value: float, *, on: str, **more: Any) -> Claim:
        """Claim that the arm's mean of ``on`` is below a value."""
        return cls.model_validate({"kind": "below", "arm": arm, "value": value, "on": on, **more})

    @property
    def maximize(self) -> bool:
        """Whether larger values of the metric are better."""
        return self.direction == "maximize" or (
            self.direction == "auto" and larger_is_better(self.on)
        )

    @property
    def recorded(self) -> tuple[str, ...]:
        """The recorded metrics that ``on`` is made of.

        >>> Claim.below("a", 1.0, on="gap/loss").recorded, Claim.below("a", 1.0, on="initial/gradient/all").recorded
        (('test/loss', 'train/loss'), ('gradient/all',))
        """
        return recorded_sources(self.on)

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that the claim names."""
        return tuple(arm for arm in (self.arm, self.than) if arm is not None)

    def __str__(self) -> str:
        return _SENTENCES[self.kind](self)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        missing = [name for name in NEEDS[self.kind] if getattr(self, name) is None]
        if missing:
            fields = " and ".join(f"'{name}'" for name in missing)
            raise ValueError(f"expected {fields} for a claim of {self.kind!r}, got none")
        if self.factors and self.factors[0] == self.factors[1]:
            raise ValueError(
                f"factors: expected two different factors, got {self.factors[0]!r} twice"
            )
        return self


def _better(c: Claim) -> str:
    by = f" by more than {c.margin:g}" if c.margin else ""
    return f"{c.arm} ends with a better {c.on} than {c.than}{by}"


def _monotone(c: Claim) -> str:
    where = f" with {', '.join(c.among.values())}" if c.among else ""
    what = c.on if c.target is None else f"the number of {c.by} to {c.on} {c.target:g}"
    return f"{what} {'rises' if c.rising else 'falls'} along {c.factor}{where}"


def _cured(c: Claim) -> str:
    much = f"more than {c.share:.0%} of " if c.share else ""
    return f"{c.arm} takes away {much}the {c.on} of {c.than}"


def _interaction(c: Claim) -> str:
    first, second = c.factors or ("", "")
    return f"What {first} does to {c.on} depends on {second}"


_SENTENCES: dict[str, Callable[[Claim], str]] = {
    "better": _better,
    "faster": lambda c: f"{c.arm} reaches {c.on} {c.target:g} in fewer {c.by} than {c.than}",
    "no worse": lambda c: f"{c.arm} is no worse than {c.than} in {c.on}, by {c.margin:g}",
    "equal": lambda c: f"{c.arm} and {c.than} differ in {c.on} by less than {c.margin:g}",
    "cured": _cured,
    "monotone": _monotone,
    "interaction": _interaction,
    "above": lambda c: f"{c.on} of {c.arm} is above {c.value:g}",
    "below": lambda c: f"{c.on} of {c.arm} is below {c.value:g}",
}
