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
from harness.spec.space import Space, Tunable, parse_space


class Component(Spec):
    """A part of a recipe chosen by name. The base class of a kind names it in ``kind``; its subclasses are the choices."""

    kind: ClassVar[str]
    retired_fields: ClassVar[Mapping[str, str]] = {}
    """Fields that stored specs may still have, and why each acts no more: they are left out with a warning."""

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
        """Return the component that ``value`` (an instance, a name, or a mapping with ``name``) stands for."""
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

    def __init__(self, target: str | None = None, /, **fields: Any) -> None:
        if target is not None:
            fields = {"target": target, "args": fields}
        fields["args"] = {k: parse_space(v) or v for k, v in fields.get("args", {}).items()}
        super().__init__(**fields)
        self.load()

    def __hash__(self) -> int:
        return hash((self.target, _hashable(self.args)))

    def load(self) -> Any:
        """Import the target."""
        return import_dotted(self.target)

    @property
    def name(self) -> str:
        return self.target

    def dump(self) -> dict[str, object]:
        plain = {k: v.dump() if isinstance(v, Space) else v for k, v in self.args.items()}
        return {"name": self.target, **plain}

    def targets(self) -> tuple[object, ...]:
        return (self.load(),)


def _hashable(value: Any) -> Hashable:
    """Return plain nested values as ones that can be hashed."""
    if isinstance(value, Mapping):
        return frozenset((name, _hashable(inner)) for name, inner in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(map(_hashable, value))
    return value if isinstance(value, Hashable) else repr(value)


T = TypeVar("T", bound=Component)


def as_a(kind: type[T], part: Component) -> T:
    """Return a part as what it is; which kind of part a field holds is checked where the spec is made."""
    assert isinstance(part, kind), f"expected a {kind.__name__}, got {type(part).__name__}"
    return part


@dataclass(frozen=True)
class PartOf:
    """Marks a field that takes a component of a kind: an instance, a name, or a mapping with ``name``."""

    kind: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        serializer = core_schema.plain_serializer_function_ser_schema(lambda part: part.dump())
        return core_schema.no_info_plain_validator_function(
            partial(parse_part, self.kind), serialization=serializer
        )

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
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
        """Return the fields of the component written at ``node``; of all of its kind, if its name is unknown."""
        known = canonical(self.kind, str(node.get("name")))
        names = [known] if known else REGISTRY[self.kind].parts
        return sorted({field for name in names for field in lookup(self.kind, name).model_fields})


def parse_part(kind: str, value: object) -> Component:
    """Return the component of ``kind`` that ``value`` (an instance, a name, or a mapping with ``name``) stands for."""
    if isinstance(value, Component) and value.kind == kind:
        return value
    if isinstance(value, str):
        value = {"name": value}
    if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
        expected = {"kind": kind, "got": repr(value)[:80]}
        raise PydanticCustomError(
            "component", "expected a {kind} by name or a mapping with 'name', got {got}", expected
        )
    return _named(kind, value["name"], {k: v for k, v in value.items() if k != "name"})


def _named(kind: str, name: str, fields: dict[str, Any]) -> Component:
    if known := canonical(kind, name):
        return _build(lookup(kind, known), fields)
    if "." not in name:
        hint = {"kind": kind, "name": name, "hint": nearest(name, REGISTRY[kind].parts)}
        raise PydanticCustomError("component", "unknown {kind} {name}: {hint}", hint)
    target: Any = import_dotted(name)
    base: type[Component] = base_class(kind)
    if isinstance(target, type) and issubclass(target, base):
        return _build(target, fields)
    outside = external_class(kind)
    if outside is None:
        wanted = {"kind": kind, "base": base.__name__}
        raise PydanticCustomError(
            "component", "a {kind} of your own must subclass harness.{base}", wanted
        )
    return _build(outside, {"target": name, "args": fields})


def import_dotted(name: str) -> Any:
    """Import ``package.module.attribute``; errors say which part is missing."""
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(import_module(module), attribute)
    except ModuleNotFoundError as error:
        missing = {"name": name, "module": error.name or module}
        raise PydanticCustomError(
            "dotted",
            "can't import {name}: there is no module {module} (files beside the spec are found by their name)",
            missing,
        ) from None
    except AttributeError:
        known = [n for n in dir(import_module(module)) if not n.startswith("_")]
        hint = {
            "name": name,
            "module": module,
            "hint": nearest(attribute, known) if len(known) < 400 else "",
        }
        raise PydanticCustomError(
            "dotted", "can't import {name}: {module} has no such name; {hint}", hint
        ) from None


def module_name(cls: type) -> str:
    """Return the module of ``cls``; for a script being run, the name that its file would be imported by."""
    module = inspect.getmodule(cls)
    if cls.__module__ == "__main__" and module is not None and getattr(module, "__file__", None):
        return str(inspect.getmodulename(str(module.__file__)))
    return cls.__module__


@cache
def number_fields(cls: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields of ``cls`` that are numeric hyperparameters."""
    marks = {name: field.metadata for name, field in cls.model_fields.items()}
    return tuple(
        name
        for name, own in marks.items()
        if any(isinstance(mark, Tunable) and mark.hyper for mark in own)
    )


def _build(cls: type[Component], fields: dict[str, Any]) -> Component:
    return cls.model_validate(fields) if not issubclass(cls, External) else cls(**fields)


def _schema_of(kind: str, name: str) -> dict[str, Any]:
    schema: dict[str, Any] = lookup(kind, name).model_json_schema()
    schema["properties"] = {"name": {"const": name}, **schema.get("properties", {})}
    schema["required"] = ["name", *schema.get("required", [])]
    return schema
