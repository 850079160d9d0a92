"""Components: the named, pluggable parts of a recipe (a model, an optimizer, …)."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib import import_module
from typing import Any, ClassVar, Self, TypeVar, cast

from pydantic import BaseModel, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import PydanticCustomError, core_schema

from harness.core.errors import nearest
from harness.core.registry import REGISTRY, base_class, canonical, external_class, lookup
from harness.spec.base import Spec
from harness.spec.space import Tunable, parse_space, plain_value


class Component(Spec):
    """A part of a recipe chosen by name. The base class of a kind names it in ``kind``; its
    subclasses are the choices."""

    kind: ClassVar[str]
    retired_fields: ClassVar[Mapping[str, str]] = {}
    """Fields that stored specs may still have, and why each acts no more: they are left out with a
    warning."""

    @model_validator(mode="before")
    @classmethod
    def _without_retired_fields(cls, fields: object) -> object:
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
        """
        return cast(Self, parse_part(cls.kind, value))

    @property
    def name(self) -> str:
        """The registered name, or the dotted name of a class of the user's own."""
        cls = type(self)
        if REGISTRY[self.kind].parts.get(cls.__name__) == cls.__module__:
            return cls.__name__
        return f"{module_name(cls)}.{cls.__qualname__}"

    def dump(self) -> dict[str, object]:
        """Return the mapping that :meth:`parse` turns into an equal component."""
        return {"name": self.name, **self.model_dump(mode="json")}

    def numbers(self) -> dict[str, float]:
        """Return the numeric hyperparameters: those that may differ within a cohort."""
        return {name: float(getattr(self, name)) for name in number_fields(type(self))}

    def targets(self) -> tuple[object, ...]:
        """Return the user's or a library's objects that this component's behaviour comes from."""
        return () if type(self).__module__.startswith("harness.") else (type(self),)


class External(Component):
    """Mixed into the component that stands for a dotted name of something outside the harness."""

    target: str
    """Dotted name of the class or function."""
    args: dict[str, object] = {}
    """Keyword arguments; a value may be a space."""

    def __init__(self, target: str | None = None, /, **fields: object) -> None:
        """Import the target, so that a name that does not exist is refused where it is written.

        Args:
            target: the dotted name, with its arguments as ``fields``; without it, ``fields`` are
                the component's own.
            fields: arguments of the target, or ``target``, ``args`` and a subclass's fields.
        """
        if target is not None:
            fields = {"target": target, "args": fields}
        args = fields.get("args", {})
        if isinstance(args, Mapping):
            fields["args"] = {name: parse_space(value) or value for name, value in args.items()}
        super().__init__(**fields)
        self.load()

    def __hash__(self) -> int:
        # The arguments are a dictionary, of which pydantic's own hash knows nothing.
        return hash((self.target, _as_hashable(self.args)))

    def load(self) -> Any:
        """Import the target, which may be anything."""
        return import_dotted(self.target)

    @property
    def name(self) -> str:
        return self.target

    def dump(self) -> dict[str, object]:
        plain = {name: plain_value(value) for name, value in self.args.items()}
        return {"name": self.target, **plain}

    def targets(self) -> tuple[object, ...]:
        return (self.load(),)


def _as_hashable(value: object) -> Hashable:
    """Return plain nested values as ones that can be hashed."""
    if isinstance(value, Mapping):
        return frozenset((name, _as_hashable(inner)) for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(_as_hashable(item) for item in value)
    return value if isinstance(value, Hashable) else repr(value)


_Kind = TypeVar("_Kind", bound=Component)


def as_a(kind: type[_Kind], part: Component) -> _Kind:
    """Return a part as what it is, for type checkers.

    Which kind of part a field holds is checked where the spec is made.

    Args:
        kind: the base class of the kind.
        part: the part.
    """
    assert isinstance(part, kind), f"expected a {kind.__name__}, got {type(part).__name__}"
    return part


@dataclass(frozen=True)
class PartOf:
    """Marks a field that takes a component of a kind: an instance, a name, or a mapping with
    ``name``."""

    kind: str

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        serializer = core_schema.plain_serializer_function_ser_schema(lambda part: part.dump())
        return core_schema.no_info_plain_validator_function(
            partial(parse_part, self.kind), serialization=serializer
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, object]:
        names = sorted(REGISTRY[self.kind].parts)
        dotted = {
            "type": "string",
            "pattern": r"\.",
            "description": "a dotted name of your own or a library's",
        }
        return {
            "anyOf": [{"enum": names}, dotted, *(_schema_of(self.kind, name) for name in names)]
        }

    def field_names(self, node: Mapping[str, object]) -> list[str]:
        """Return the fields of the component written at ``node``; of all of its kind, if its name
        is unknown."""
        known = canonical(self.kind, str(node.get("name")))
        names = [known] if known else REGISTRY[self.kind].parts
        return sorted(
            {field for name in names for field in _part_class(self.kind, name).model_fields}
        )


def parse_part(kind: str, value: object) -> Component:
    """Return the component that ``value`` stands for.

    Args:
        kind: such as ``optimizer``.
        value: an instance; the name of a registered part; a dotted name of a class of the user's
            own, or of anything that the kind takes from outside; or a mapping with such a ``name``
            and the part's fields.

    Raises:
        PydanticCustomError: it is none of these; the message has the nearest name.
        ValidationError: the fields do not fit the part.
    """
    if isinstance(value, Component) and value.kind == kind:
        return value
    fields = dict(value) if isinstance(value, Mapping) else {"name": value}
    name = fields.pop("name", None)
    if not isinstance(name, str):
        expected = {"kind": kind, "got": repr(value)[:80]}
        raise PydanticCustomError(
            "component", "expected a {kind} by name or a mapping with 'name', got {got}", expected
        )
    known = canonical(kind, name)
    if known is not None:
        return _build(_part_class(kind, known), fields)
    if "." in name:
        return _from_dotted(kind, name, fields)
    hint = {"kind": kind, "name": name, "hint": nearest(name, REGISTRY[kind].parts)}
    raise PydanticCustomError("component", "unknown {kind} {name}: {hint}", hint)


def _from_dotted(kind: str, name: str, fields: dict[str, object]) -> Component:
    """Return the component of a dotted name: a class of the user's own, or the one that stands for
    things from outside."""
    target = import_dotted(name)
    base: type[Component] = base_class(kind)
    if isinstance(target, type) and issubclass(target, base):
        return _build(target, fields)
    outside: type[Component] | None = external_class(kind)
    if outside is None:
        wanted = {"kind": kind, "base": base.__name__}
        raise PydanticCustomError(
            "component", "a {kind} of your own must subclass harness.{base}", wanted
        )
    return _build(outside, {"target": name, "args": fields})


def _build(cls: type[Component], fields: dict[str, object]) -> Component:
    # model_validate does not call a class's own __init__, in which External imports its target.
    return cls(**fields) if issubclass(cls, External) else cls.model_validate(fields)


def import_dotted(name: str) -> Any:
    """Import ``package.module.attribute``.

    Raises:
        PydanticCustomError: the module or the attribute is missing; the message says which, and the
            nearest name.
    """
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing = {"name": name, "module": error.name or module}
        raise PydanticCustomError(
            "dotted",
            "can't import {name}: there is no module {module} "
            "(files beside the spec are found by their name)",
            missing,
        ) from None
    except AttributeError:
        known = [n for n in dir(import_module(module)) if not n.startswith("_")]
        # The names of a large library such as torch would fill the screen.
        hint = nearest(attribute, known) if len(known) < 400 else ""
        missing = {"name": name, "module": module, "hint": hint}
        raise PydanticCustomError(
            "dotted", "can't import {name}: {module} has no such name; {hint}", missing
        ) from None


def module_name(cls: type) -> str:
    """Return the module of ``cls``; for a script being run, the name that its file would be
    imported by."""
    file = getattr(inspect.getmodule(cls), "__file__", None)
    if cls.__module__ == "__main__" and file:
        return str(inspect.getmodulename(str(file)))
    return cls.__module__


@cache
def number_fields(cls: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields of ``cls`` that are numeric hyperparameters."""
    names = []
    for name, field in cls.model_fields.items():
        if any(isinstance(mark, Tunable) and mark.hyper for mark in field.metadata):
            names.append(name)
    return tuple(names)


def _part_class(kind: str, name: str) -> type[Component]:
    """Return the registered class of exactly this name."""
    cls: type[Component] = lookup(kind, name)
    return cls


def _schema_of(kind: str, name: str) -> dict[str, object]:
    """Return the JSON schema of a registered part, in which its name is a field."""
    schema = _part_class(kind, name).model_json_schema()
    schema["properties"] = {"name": {"const": name}, **schema.get("properties", {})}
    schema["required"] = ["name", *schema.get("required", [])]
    return schema
