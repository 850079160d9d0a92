"""Components: the named, pluggable parts of a recipe (a model, an optimizer, …)."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, ClassVar, Self, cast

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import PydanticCustomError, core_schema

from harness.errors import nearest
from harness.spec.registry import REGISTRY, canonical, lookup
from harness.spec.space import Space, Tunable, parse_space


class Spec(BaseModel):
    """Base of all specs: frozen, keyword-only, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False)


class Component(Spec):
    """A part of a recipe chosen by name. A direct subclass names its ``kind``; theirs are the choices."""

    kind: ClassVar[str]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        if "kind" not in cls.__dict__:
            return handler(source)
        serializer = core_schema.plain_serializer_function_ser_schema(lambda part: part.dump())
        return core_schema.no_info_plain_validator_function(cls.parse, serialization=serializer)

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        if "kind" not in cls.__dict__:
            return handler(schema)
        names = sorted(REGISTRY[cls.kind])
        dotted = {"type": "string", "pattern": r"\.", "description": "a dotted name of your own or a library's"}
        return {"anyOf": [{"enum": names}, dotted, *(_schema_of(cls.kind, name) for name in names)]}

    @classmethod
    def parse(cls, value: object) -> Self:
        """Return the component that ``value`` (an instance, a name, or a mapping with ``name``) stands for."""
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, Mapping) or not isinstance(value.get("name"), str):
            expected = {"kind": cls.kind, "got": repr(value)[:80]}
            raise PydanticCustomError("component", "expected a {kind} by name or a mapping with 'name', got {got}", expected)
        fields = {k: v for k, v in value.items() if k != "name"}
        return cls._named(value["name"], fields)

    @classmethod
    def _named(cls, name: str, fields: dict[str, Any]) -> Self:
        if known := canonical(cls.kind, name):
            return cast(Self, _build(lookup(cls.kind, known), fields))
        if "." not in name:
            hint = {"kind": cls.kind, "name": name, "hint": nearest(name, REGISTRY[cls.kind])}
            raise PydanticCustomError("component", "unknown {kind} {name}: {hint}", hint)
        target = import_dotted(name)
        if inspect.isclass(target) and issubclass(target, cls):
            return cast(Self, _build(target, fields))
        return cast(Self, _build(external(cls.kind), {"target": name, "args": fields}))

    @property
    def name(self) -> str:
        """The registered name, or the dotted name of a class of the user's own."""
        cls = type(self)
        if REGISTRY[self.kind].get(cls.__name__) == cls.__module__:
            return cls.__name__
        return f"{module_name(cls)}.{cls.__qualname__}"

    def dump(self) -> dict[str, Any]:
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
    args: dict[str, Any] = {}
    """Keyword arguments; a value may be a space."""

    def __init__(self, target: str | None = None, /, **fields: Any) -> None:
        if target is not None:
            fields = {"target": target, "args": fields}
        fields["args"] = {k: parse_space(v) or v for k, v in fields.get("args", {}).items()}
        super().__init__(**fields)
        self.load()

    def load(self) -> Any:
        """Import the target."""
        return import_dotted(self.target)

    @property
    def name(self) -> str:
        return self.target

    def dump(self) -> dict[str, Any]:
        plain = {k: v.dump() if isinstance(v, Space) else v for k, v in self.args.items()}
        return {"name": self.target, **plain}

    def targets(self) -> tuple[object, ...]:
        return (self.load(),)


def external(kind: str) -> type[External]:
    """Return the class that stands for outside things of ``kind``."""
    module, name = {
        "optimizer": ("harness.optimizers.external", "ExternalOptimizer"),
        "model": ("harness.models.external", "ExternalModel"),
        "data": ("harness.data.external", "ExternalData"),
        "loss": ("harness.losses", "ExternalLoss"),
    }.get(kind, ("", ""))
    if not module:
        wanted = {"kind": kind, "base": {"regularizer": "Hook", "probe": "Measure"}.get(kind, kind.capitalize())}
        raise PydanticCustomError("component", "a {kind} of your own must subclass harness.{base}", wanted)
    found: type[External] = getattr(import_module(module), name)
    return found


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
        hint = {"name": name, "module": module, "hint": nearest(attribute, known) if len(known) < 400 else ""}
        raise PydanticCustomError("dotted", "can't import {name}: {module} has no such name; {hint}", hint) from None


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
    return tuple(name for name, own in marks.items() if any(isinstance(mark, Tunable) and mark.hyper for mark in own))


def _build(cls: Any, fields: dict[str, Any]) -> Any:
    return cls.model_validate(fields) if not issubclass(cls, External) else cls(**fields)


def _schema_of(kind: str, name: str) -> dict[str, Any]:
    schema: dict[str, Any] = lookup(kind, name).model_json_schema()
    schema["properties"] = {"name": {"const": name}, **schema.get("properties", {})}
    schema["required"] = ["name", *schema.get("required", [])]
    return schema
