"""Components: the named, pluggable parts of a recipe (a model, an optimizer, …).

Parts register by a line in :mod:`harness.catalog` and are imported when a spec first names them:
this module must import neither a part nor a kind's base class, which lie in rooms above.
:func:`parse_part` is the one way from what a user writes to a part; ``Component.dump`` is the way
back, and its form is in run keys and stored specs.
"""

from __future__ import annotations

import warnings
from collections.abc import Hashable, Mapping
from functools import cache
from typing import Any, ClassVar, Self, TypeVar, cast

from pydantic import BaseModel, model_validator
from pydantic_core import PydanticCustomError

from harness.core.errors import nearest
from harness.core.registry import REGISTRY, base_class, canonical, external_class, lookup
from harness.spec.base import Spec, explained_as
from harness.spec.dotted_names import import_dotted
from harness.spec.objects import (
    REFERENCE,
    Missing,
    as_reference,
    is_object,
    is_reference,
    name_object,
    name_once,
    names_in,
    read_from,
    source_of,
    unpack_partial,
    write_objects,
)
from harness.spec.space import Tunable, parse_space, plain_value
from harness.spec.trusted_names import refuse_name, trust_name


class Component(Spec):
    """A part of a recipe chosen by name. The base class of a kind names it in ``kind``; its
    subclasses are the choices."""

    kind: ClassVar[str]
    """The kind's key in the registry, such as ``optimizer``; also the recipe's field for most."""
    retired_fields: ClassVar[Mapping[str, str]] = {}
    """Fields that stored specs may still have, and why each acts no more: they are left out with a
    warning."""

    @model_validator(mode="before")
    @classmethod
    def _without_retired_fields(cls, fields: object) -> object:
        """Drop retired fields before pydantic refuses them as unknown; specs stored by an older
        version stay readable."""
        if not isinstance(fields, Mapping):
            return fields
        for name in cls.retired_fields.keys() & fields.keys():
            reason = cls.retired_fields[name]
            message = f"{cls.__name__} has no field '{name}' any more and ignores it: {reason}"
            warnings.warn(message, FutureWarning, stacklevel=2)
        return {name: v for name, v in fields.items() if name not in cls.retired_fields}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the component that ``value`` stands for; see :func:`parse_part`.

        Args:
            value: an instance, a name, or a mapping with ``name``.

        Raises:
            SpecError: it stands for no part of this class's kind, or the fields do not fit.
        """
        with explained_as(cls):
            # To type checkers a part of this class; what is checked is its kind.
            return cast(Self, parse_part(cls.kind, value))

    @property
    def name(self) -> str:
        """The registered name, or the dotted name of a class of the user's own.

        A user's class that is called like a part of the harness keeps its dotted name: both the
        class's name and its module must be those of the catalogue.
        """
        cls = type(self)
        if REGISTRY[self.kind].parts.get(cls.__name__) == cls.__module__:
            return cls.__name__
        return name_once(cls)

    def dump(self) -> dict[str, object]:
        """Return the mapping that :meth:`parse` turns into an equal component.

        It holds only what JSON does, spaces as ``{"log_uniform": [low, high]}``, and every field,
        those at their defaults too: a default that changes later must change run keys.
        """
        return {"name": self.name, **self.model_dump(mode="json")}

    def numbers(self) -> dict[str, float]:
        """Return the numeric hyperparameters by field: those that may differ within a cohort.

        Raises:
            TypeError: one of them is a space; only resolved recipes have numbers.
        """
        return {name: float(getattr(self, name)) for name in number_fields(type(self))}

    def targets(self) -> tuple[object, ...]:
        """Return the user's or a library's objects that this component's behaviour comes from.

        Returns:
            The classes or functions whose code goes into run keys; empty for the harness's own
            parts, whose code is known by ``ENGINE`` (:mod:`harness.spec.keys`).
        """
        return tuple(source_of(name) or import_dotted(name) for name in self.objects())

    def objects(self) -> list[str]:
        """Return the names of the user's or a library's objects that this component is or
        holds."""
        return [] if type(self).__module__.startswith("harness.") else [self.name]


class External(Component):
    """Mixed into the component that stands for something outside the harness.

    ``{"name": "torch.optim.LBFGS", "lr": 0.5}`` in a file and, in Python,
    ``partial(torch.optim.LBFGS, lr=0.5)``, ``ExternalOptimizer(torch.optim.LBFGS, lr=0.5)`` or the
    same with its dotted name become ``target`` and ``args={"lr": 0.5}``. The arguments are not
    checked here, but by the target when it is called. Objects are held by their names
    (:mod:`harness.spec.objects`), those among the arguments as ``{"object": name}``.
    """

    target: str
    """Dotted name of the class or function."""
    args: dict[str, object] = {}
    """Keyword arguments; a value may be a space."""

    def __init__(self, target: object = None, /, **fields: object) -> None:
        """Import the target, so that a name that does not exist is refused where it is written.

        Args:
            target: the dotted name, or the object itself, with its arguments as ``fields``; without
                it, ``fields`` are the component's own.
            fields: arguments of the target, or ``target``, ``args`` and a subclass's fields.

        Raises:
            PydanticCustomError: there is no such module or attribute.
        """
        if target is not None:
            fields = {"target": target, "args": fields}
        args = fields.pop("args", {})
        fields |= self._sorted(fields.pop("target", ""), args) if isinstance(args, Mapping) else {}
        super().__init__(**fields)
        if not isinstance(loaded := self.load(), Missing):
            self.check_target(loaded)

    @classmethod
    def _sorted(cls, target: object, args: Mapping[str, object]) -> dict[str, object]:
        """Return the fields by the target's name, with this class's own ones apart from arguments.

        Args:
            target: dotted name or object.
            args: its arguments as the user wrote them, among which the class's own fields are.
        """
        call = unpack_partial(target)
        given = call.arguments | dict(args)
        own = {name: value for name, value in given.items() if cls._is_own(name, value)}
        # before validation, since the fields are frozen afterwards and pydantic takes arguments of
        # any type as they are
        plain = {name: _argument(value) for name, value in given.items() if name not in own}
        for named in names_in(plain):  # they are imported when they are needed, and refused here
            refuse_name(named)
        if not isinstance(call.target, str):
            cls.check_target(call.target)
        name = call.target if isinstance(call.target, str) else name_object(call.target)
        return {"target": name, "args": plain, **own}

    @classmethod
    def _is_own(cls, name: str, value: object) -> bool:
        """Return whether what is written beside the target is a field of the component's own."""
        return name in cls._own_fields()

    @classmethod
    def _own_fields(cls) -> list[str]:
        """Return the names of the fields that are the component's own and no arguments."""
        return [name for name in cls.model_fields if name not in External.model_fields]

    # The arguments are a dictionary, which the hash that pydantic makes of all fields refuses; and
    # by Python's equality a target given 1 and one given True would share what is cached for them.
    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _as_hashable(self) == _as_hashable(other)

    def __hash__(self) -> int:
        return hash(_as_hashable(self))

    def load(self) -> Any:
        """Import the target, which may be anything: a class, a function, or an object.

        Raises:
            PydanticCustomError: there is no such module or attribute.
        """
        return import_dotted(self.target)

    @classmethod
    def check_target(cls, target: object) -> None:
        """Refuse a target of the wrong kind.

        Args:
            target: the object itself.

        Raises:
            PydanticCustomError: what was expected, what was got, and the fix.
        """

    def arguments(self) -> dict[str, Any]:
        """Return what the target is called with: the arguments, objects in the place of names."""
        return {name: _with_objects(value) for name, value in self.args.items()}

    def __getstate__(self) -> dict[Any, Any]:
        # objects that a worker can't import go along, by the files that they are written to
        return super().__getstate__() | {"objects": write_objects(self.objects())}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        read_from(state.pop("objects"))
        super().__setstate__(state)

    @property
    def name(self) -> str:
        return self.target

    def dump(self) -> dict[str, object]:
        plain = {name: plain_value(value) for name, value in self.args.items()}
        own = self.model_dump(mode="json", include=set(self._own_fields()))
        return {**own, "name": self.target, **plain}

    def objects(self) -> list[str]:
        return [self.target, *names_in(self.args)]


def _argument(value: object) -> object:
    """Return an argument as it is kept: a space, a plain value, or the name of an object."""
    return parse_space(value) or as_reference(value)


def _with_objects(value: object) -> Any:
    """Return a plain argument with the objects that it names in their places."""
    if not names_in(value):
        return value
    if isinstance(value, Mapping):
        if is_reference(value):
            return import_dotted(value[REFERENCE])
        return {name: _with_objects(inner) for name, inner in value.items()}
    assert isinstance(value, (list, tuple)), "a resolved recipe has no spaces"
    return type(value)(_with_objects(inner) for inner in value)


def _as_hashable(value: object) -> Hashable:
    """Return plain nested values as ones that can be hashed, equal ones as equal.

    The order of a mapping does not matter, as it does not for ``==``; the type of a single value
    does, other than for ``==``. What can't be hashed counts by its text: equal objects with
    different texts would only miss a cache.
    """
    if isinstance(value, External):
        return type(value), tuple(_as_hashable(field) for _, field in value)
    if isinstance(value, Mapping):
        return frozenset((name, _as_hashable(inner)) for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(_as_hashable(item) for item in value)
    return type(value), value if isinstance(value, Hashable) else repr(value)


_Kind = TypeVar("_Kind", bound=Component)


def as_a(kind: type[_Kind], part: Component) -> _Kind:
    """Return a part as what it is, for type checkers.

    A recipe's fields are typed as ``Component``, since specs import no kind's base class. Which
    kind of part a field holds is checked where the spec is made, so that this never fails for a
    recipe that exists.

    Args:
        kind: the base class of the kind.
        part: the part.
    """
    assert isinstance(part, kind), f"expected a {kind.__name__}, got {type(part).__name__}"
    return part


def parse_part(kind: str, value: object) -> Component:
    """Return the component that ``value`` stands for.

    Args:
        kind: such as ``optimizer``.
        value: an instance; the name of a registered part; a dotted name of a class of the user's
            own, or of anything that the kind takes from outside; a mapping with such a ``name``
            and the part's fields; or the object itself, or a partial of it with its arguments.

    Raises:
        PydanticCustomError: it is none of these, or a space; the message has the nearest name.
        ValidationError: the fields do not fit the part.
    """
    if isinstance(value, Component) and value.kind == kind:
        return value
    if (space := parse_space(value)) is not None:
        raise PydanticCustomError(
            "component",
            "expected one {kind}, got {space}; parts are compared as a factor's levels, and spaces "
            "stand in their fields",
            {"kind": kind, "space": str(space)[:80]},
        )
    if is_object(value) and not (isinstance(value, Mapping) and "name" in value):
        return _from_object(kind, value)
    # A copy, from which the name is taken: the caller's mapping stays as it is.
    fields = dict(value) if isinstance(value, Mapping) else {"name": value}
    name = fields.pop("name", None)
    if not isinstance(name, str):
        expected = {"kind": kind, "got": repr(value)[:80]}
        raise PydanticCustomError(
            "component", "expected a {kind} by name or a mapping with 'name', got {got}", expected
        )
    known = canonical(kind, name)
    if known is not None:
        registered: type[Component] = lookup(kind, known)
        return registered.model_validate(fields)
    if "." in name:
        return _from_dotted(kind, name, fields)
    hint = {"kind": kind, "name": name, "hint": nearest(name, REGISTRY[kind].parts)}
    raise PydanticCustomError("component", "unknown {kind} {name}: {hint}", hint)


def _from_dotted(kind: str, name: str, fields: dict[str, object]) -> Component:
    """Return the component of a dotted name: a class of the user's own, or the one that stands for
    things from outside.

    Raises:
        PydanticCustomError: the name can't be imported, or it is no subclass of the kind's base
            class and the kind takes nothing else from outside.
    """
    return _made_by(kind, import_dotted(name), name, fields)


def _from_object(kind: str, value: object) -> Component:
    """Return the component of a class, a function, a partial or a value given in Python.

    Raises:
        PydanticCustomError: the kind takes no such thing.
    """
    call = unpack_partial(value)
    return _made_by(kind, call.target, call.target, call.arguments)


def _made_by(kind: str, target: object, named: object, fields: dict[str, object]) -> Component:
    """Return the component that a target makes with some fields.

    Args:
        kind: such as ``optimizer``.
        target: a subclass of the kind's base class, or anything that the kind takes from outside.
        named: its dotted name, or the target once more.
        fields: of the subclass, or arguments of the target.

    Raises:
        PydanticCustomError: it is no subclass, and the kind takes nothing else from outside.
    """
    base: type[Component] = base_class(kind)
    if isinstance(target, type) and issubclass(target, base):
        trust_name(name_object(target))
        return target.model_validate(fields)
    outside: type[Component] | None = external_class(kind)
    if outside is None and isinstance(target, Missing):
        outside = _missing_class(kind)
    if outside is None:
        wanted = {"kind": kind, "base": base.__name__}
        raise PydanticCustomError(
            "component", "a {kind} of your own must subclass harness.{base}", wanted
        )
    return outside.model_validate({"target": named, "args": fields})


@cache
def _missing_class(kind: str) -> type[External]:
    """Return the class of parts that a stored spec names and that can't be imported here, of a kind
    that takes nothing but subclasses."""
    return type("MissingPart", (External,), {"kind": kind, "__module__": __name__})


@cache
def number_fields(cls: type[BaseModel]) -> tuple[str, ...]:
    """Return the names of the fields that are numeric hyperparameters, in their order.

    Args:
        cls: a component's class; its fields marked ``Tunable(hyper=True)`` count.
    """
    names = []
    for name, field in cls.model_fields.items():
        if any(isinstance(mark, Tunable) and mark.hyper for mark in field.metadata):
            names.append(name)
    return tuple(names)
