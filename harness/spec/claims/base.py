"""What all claims have in common, and the constructors of the kinds.

Claims only say what is tested; nothing here reads results. They are a tagged union: their
``kind`` says of which class a mapping in YAML or JSON is.
"""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from typing import ClassVar, Literal

from pydantic_core import PydanticCustomError

from harness.core.errors import nearest
from harness.core.metric_names import recorded_sources
from harness.spec.base import explained_as
from harness.spec.claims.fields import Goal, MetricName, TimeUnit
from harness.spec.metrics import Directed

Compared = Mapping[str, Collection[str]]
"""The names of the levels of each factor."""


class Claim(Directed):
    """A statement that the study tests, declared before anything runs.

    A metric is named as it is recorded (``test/loss``, a probe's ``gradient/all``), or derived of
    it: ``gap/loss``, ``rank_correlation/valid``, ``mean/valid/accuracy``;
    :mod:`harness.core.metric_names` has them all.

    A subclass is one kind of claim: it gives ``kind`` its name in YAML and JSON, and has a
    sentence. Its evidence is registered in :mod:`harness.analysis.claims`.
    """

    kinds: ClassVar[dict[str, type[Claim]]] = {}
    """The class of each kind, by its name."""

    kind: str
    """better, no worse, equal, cured, faster, monotone, trend, interaction, above or below."""
    on: MetricName = "test/loss"
    """Metric that the claim is about."""
    scope: Literal["auto", "method", "winner"] = "auto"
    """What the verdict is about: the method, whatever a search may freeze, which takes three
    searches or more; or the recipes that the searches of this study froze. "auto" is the method
    where there are enough searches."""
    id: str = ""
    """What the claim stands for in tables over several studies, such as F9."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: object) -> None:
        # Pydantic's own hook, called when the fields are complete; Python's comes before that.
        # Classes between Claim and the kinds (two arms, over levels) have no default for ``kind``.
        name = cls.model_fields["kind"].default
        if isinstance(name, str):
            Claim.kinds[name] = cls

    @abstractmethod
    def __str__(self) -> str:
        """Return the claim in a sentence, without the full stop: what reports show."""

    @property
    def arms(self) -> tuple[str, ...]:
        """The arms that the claim names; empty for one about factors, whichever arms have their
        levels."""
        return ()

    @property
    def direction_given(self) -> bool:
        """Whether the claim itself says which values of its metric are better."""
        return getattr(self, "direction", "auto") != "auto"

    @property
    def goal(self) -> Goal | None:
        """What runs are to reach, if the claim is about speed; else None."""
        return None

    @property
    def recorded(self) -> tuple[str, ...]:
        """The recorded metrics that ``on`` is made of.

        >>> Claim.below("a", 1.0, on="gap/loss").recorded
        ('test/loss', 'train/loss')
        """
        return recorded_sources(self.on)

    def misfits(self, arms: Collection[str], compared: Compared) -> Iterator[str]:
        """Yield what the claim names that the study does not have; each begins with the field, or
        ": ".

        Args:
            arms: names of the study's arms.
            compared: names of its factors and their levels.
        """
        for wanted in self.arms:
            if wanted not in arms:
                yield f": unknown arm {wanted!r}: {_hint(wanted, arms)}"

    @classmethod
    def parse(cls, value: object) -> Claim:
        """Return the claim that ``value`` stands for.

        Args:
            value: a claim, or a mapping with its ``kind`` and fields, as in YAML and JSON.

        Raises:
            PydanticCustomError: it has no kind, or one that is not known.
            ValidationError: the fields do not fit the kind.

        >>> print(Claim.parse({"kind": "above", "arm": "Adam", "value": 2.0, "on": "test/loss"}))
        test/loss of Adam is above 2
        """
        if isinstance(value, Claim):
            return value
        value = _as_python_says(value)
        kind = value.get("kind") if isinstance(value, Mapping) else None
        if not isinstance(value, Mapping) or not isinstance(kind, str):
            raise PydanticCustomError(
                "claim",
                "expected a mapping with a 'kind' ({kinds}), got {got}",
                {"kinds": ", ".join(cls.kinds), "got": repr(value)[:80]},
            )
        if kind not in cls.kinds:
            hint = {"kind": kind, "hint": nearest(kind, cls.kinds)}
            raise PydanticCustomError("claim", "unknown kind of claim '{kind}': {hint}", hint)
        return cls.kinds[kind].model_validate(_own_fields(cls.kinds[kind], value))

    @classmethod
    def _of(cls, kind: str, **fields: object) -> Claim:
        """Build by the kind's name: a base class can't import the classes that are made of it."""
        with explained_as(cls.kinds[kind]):
            return cls.parse({"kind": kind, **fields})

    @classmethod
    def better(
        cls, arm: str, *, than: str, on: str = "test/loss", margin: float = 0.0, **more: object
    ) -> Claim:
        """Claim that ``arm`` ends with the better value of ``on``, by more than ``margin``.

        Args:
            arm: the arm that the claim is about.
            than: the arm it is compared with.
            on: the metric.
            margin: least lead, in the unit of the metric.
            more: ``direction`` ("maximize" or "minimize", where the metric's own is not meant),
                ``scope`` and ``id``.
        """
        return cls._of("better", arm=arm, than=than, on=on, margin=margin, **more)

    @classmethod
    def faster(
        cls,
        arm: str,
        *,
        than: str,
        to: tuple[str, float],
        by: TimeUnit = "steps",
        **more: object,
    ) -> Claim:
        """Claim that ``arm`` needs less of ``by`` than the other to bring a metric to a value.

        Args:
            arm: the arm that the claim is about.
            than: the arm it is compared with.
            to: the metric and the value to be reached, such as ``("valid/accuracy", 0.6)``.
            by: "steps", "epochs", "samples" or "seconds".
            more: ``direction``, ``scope`` and ``id``.
        """
        metric, target = to
        return cls._of("faster", arm=arm, than=than, on=metric, target=target, by=by, **more)

    @classmethod
    def no_worse(
        cls, arm: str, *, than: str, margin: float, on: str = "test/loss", **more: object
    ) -> Claim:
        """Claim that ``arm`` is not behind by ``margin`` or more.

        Args:
            arm: the arm that the claim is about.
            than: the arm it is compared with.
            margin: difference that does not matter, in the unit of the metric.
            on: the metric.
            more: ``direction``, ``scope`` and ``id``.
        """
        return cls._of("no worse", arm=arm, than=than, on=on, margin=margin, **more)

    @classmethod
    def equal(
        cls, arm: str, *, than: str, margin: float, on: str = "test/loss", **more: object
    ) -> Claim:
        """Claim that two arms differ by less than ``margin``.

        Args:
            arm: one arm.
            than: the other.
            margin: difference that does not matter, in the unit of the metric.
            on: the metric.
            more: ``direction``, ``scope`` and ``id``.
        """
        return cls._of("equal", arm=arm, than=than, on=on, margin=margin, **more)

    @classmethod
    def cured(
        cls, arm: str, *, of: str, on: str = "gap/loss", share: float = 0.0, **more: object
    ) -> Claim:
        """Claim that ``arm`` takes away more than ``share`` of what the arm ``of`` has of ``on``.

        Args:
            arm: the arm with the cure.
            of: the arm without it.
            on: what is too large: a gap or a loss.
            share: part of it, from 0 to 1, that must go at least.
            more: ``scope`` and ``id``.
        """
        return cls._of("cured", arm=arm, than=of, on=on, share=share, **more)

    @classmethod
    def monotone(
        cls,
        factor: str,
        *,
        on: str,
        rising: bool,
        among: Mapping[str, str] | None = None,
        margin: float = 0.0,
        **more: object,
    ) -> Claim:
        """Claim that ``on`` rises (or falls) at every step along ``factor``, in the study's order.

        Args:
            factor: a factor of three levels or more.
            on: the metric.
            rising: whether it rises.
            among: levels of other factors that the claim keeps to; otherwise means over them count.
            margin: by how much a step may go back, in the unit of the metric.
            more: ``target`` and ``by``, if what rises or falls is how much of ``by`` it takes to
                bring ``on`` there; ``direction``, ``scope`` and ``id``.
        """
        fields = {"factor": factor, "on": on, "rising": rising, "among": dict(among or {})}
        return cls._of("monotone", margin=margin, **fields, **more)

    @classmethod
    def trend(
        cls,
        factor: str,
        *,
        on: str,
        rising: bool,
        among: Mapping[str, str] | None = None,
        **more: object,
    ) -> Claim:
        """Claim that ``on`` tends to rise (or fall) along ``factor``, over all levels together.

        Args:
            factor: a factor of three levels or more.
            on: the metric.
            rising: whether it rises.
            among: levels of other factors that the claim keeps to; otherwise means over them count.
            more: ``target``, ``by``, ``direction``, ``scope`` and ``id``, as in :meth:`monotone`.
        """
        fields = {"factor": factor, "on": on, "rising": rising, "among": dict(among or {})}
        return cls._of("trend", **fields, **more)

    @classmethod
    def interaction(
        cls, first: str, second: str, *, on: str = "test/loss", **more: object
    ) -> Claim:
        """Claim that what one factor does to ``on`` depends on the level of the other.

        Args:
            first: one factor.
            second: the other.
            on: the metric.
            more: ``among``, ``target``, ``by``, ``direction``, ``scope`` and ``id``, as in
                :meth:`monotone`.
        """
        return cls._of("interaction", factors=(first, second), on=on, **more)

    @classmethod
    def above(cls, arm: str, value: float, *, on: str, **more: object) -> Claim:
        """Claim that the arm's median of ``on`` is above a value.

        It is tested by counting (:func:`harness.stats.located`): 6 searches, or runs of winners,
        decide one claim at the least, and twice as many claims take one more.

        Args:
            arm: the arm.
            value: the bound, in the unit of the metric.
            on: the metric.
            more: ``scope`` and ``id``.
        """
        return cls._of("above", arm=arm, value=value, on=on, **more)

    @classmethod
    def below(cls, arm: str, value: float, *, on: str, **more: object) -> Claim:
        """Claim that the arm's median of ``on`` is below a value.

        It is tested by counting (:func:`harness.stats.located`): 6 searches, or runs of winners,
        decide one claim at the least, and twice as many claims take one more.

        Args:
            arm: the arm.
            value: the bound, in the unit of the metric.
            on: the metric.
            more: ``scope`` and ``id``.
        """
        return cls._of("below", arm=arm, value=value, on=on, **more)


_FLAT_FIELDS: dict[str, object] = {
    "arm": None,
    "than": None,
    "direction": "auto",
    "target": None,
    "by": "steps",
    "margin": None,
    "share": 0.0,
    "factor": None,
    "rising": True,
    "factors": None,
    "among": {},
    "value": None,
}
"""The fields that claims of every kind had in version 0.1, with what they held where they meant
nothing. Stored studies have them all; without this table they could not be opened."""


def _as_python_says(value: object) -> object:
    """Return a mapping by the fields' names, if it uses the words of Python's constructors.

    ``kind: no_worse``, ``of: B`` and ``to: [valid/accuracy, 0.6]`` mean ``kind: no worse``,
    ``than: B`` and ``on: valid/accuracy`` with ``target: 0.6``.
    """
    if not isinstance(value, Mapping):
        return value
    fields = dict(value)
    if isinstance(fields.get("kind"), str):
        fields["kind"] = fields["kind"].replace("_", " ")
    if "of" in fields and "than" not in fields:
        fields["than"] = fields.pop("of")
    goal = fields.get("to")
    if isinstance(goal, (list, tuple)) and len(goal) == 2 and not {"on", "target"} & fields.keys():
        del fields["to"]
        fields["on"], fields["target"] = goal
    return fields


def _own_fields(cls: type[Claim], value: Mapping[str, object]) -> dict[str, object]:
    """Return a claim's fields without those of other kinds, which studies of version 0.1 hold too.

    A field that no kind ever had stays, for pydantic to refuse. One of another kind that says
    something is left out with a warning: it was ignored before, and whoever wrote it meant it.

    Args:
        cls: the claim's class.
        value: its fields as they are written.
    """
    own: dict[str, object] = {}
    for name, given in value.items():
        if name not in _FLAT_FIELDS or (name in cls.model_fields and given is not None):
            own[name] = given
        elif name not in cls.model_fields and given not in (None, _FLAT_FIELDS[name]):
            warnings.warn(
                f"a claim of kind {value['kind']!r} has no {name!r}, which is left out; "
                "it will be refused in version 0.3",
                FutureWarning,
                stacklevel=2,
            )
    return own


def _hint(wanted: str, arms: Collection[str]) -> str:
    """Return what may have been meant: the nearest name or, of a single level where factors cross,
    the arms that have it."""
    having = sorted(arm for arm in arms if wanted in arm.split(" / "))
    if not having:
        return nearest(wanted, arms)
    return f"where factors cross, an arm has a level of each: {', '.join(having)}"
