"""Studies from Python, YAML and JSON files, with errors that point at the line."""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from harness.errors import HarnessError, SpecError, nearest
from harness.spec.component import Component
from harness.spec.recipe import LENGTHS, Recipe, put
from harness.spec.study import Study

Location = tuple[str | int, ...]


def load_study(path: Path) -> Study:
    """Read the study in a ``.py``, ``.yaml``, ``.yml`` or ``.json`` file; files beside it can be named in dotted names.

    Raises:
        SpecError: the file is missing, can't be parsed, or is no valid study; every mistake is listed.
    """
    if not path.is_file():
        raise SpecError(f"{path}: no such file; write one with 'harness new {path}'")
    with beside(path):
        if path.suffix == ".py":
            return _from_script(path)
        if path.suffix in (".yaml", ".yml", ".json"):
            return validate(_parse(path), str(path))
    raise SpecError(f"{path}: expected a .py, .yaml, .yml or .json file, got '{path.suffix}'")


def validate(tree: Any, source: str) -> Study:
    """Turn a plain tree into a study.

    Raises:
        SpecError: with one line for each mistake, located in ``source``.
    """
    try:
        return Study.model_validate(_bare(tree))
    except ValidationError as error:
        raise SpecError(explain(error, tree, source)) from None


def override(study: Study, changes: Mapping[str, Any]) -> Study:
    """Return the study with the fields at dotted paths replaced, such as ``recipe.epochs``."""
    tree = study.dump()
    for path, value in changes.items():
        head = path.partition(".")[0]
        if head not in Study.model_fields:
            raise SpecError(f"--set {path}: unknown field of the study: {nearest(head, Study.model_fields)}")
        if path.removeprefix("recipe.") in LENGTHS:
            tree["recipe"] |= dict.fromkeys(LENGTHS)
        if tree.get("search") is None and path.startswith("search."):
            continue
        put(tree, path, value)
    return validate(tree, "the study after --quick and --set")


def _bare(node: Any) -> Any:
    """Return the tree without the parser's own kinds of numbers and texts, which remember how they were written."""
    if isinstance(node, Mapping):
        return {str(key): _bare(value) for key, value in node.items()}
    if isinstance(node, (list, tuple)):
        return [_bare(value) for value in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


@contextmanager
def beside(path: Path) -> Iterator[None]:
    """Make the modules in a file's folder importable."""
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    yield


def explain(error: ValidationError, tree: Any, source: str, root: type[BaseModel] = Study) -> str:
    """Return one line for each mistake in a ``root``: file, line, column, field, what was expected and got."""
    lines = [f"{_where(item['loc'], tree, source)}: {_said(item, tree, root)}" for item in error.errors()]
    count = f"{len(lines)} mistake{'s' if len(lines) > 1 else ''}"
    return f"{source} is not a valid {root.__name__} ({count}):\n  " + "\n  ".join(lines)


def _said(item: Any, tree: Any, root: type[BaseModel]) -> str:
    field = str(item["loc"][-1]) if item["loc"] else ""
    if item["type"] == "extra_forbidden":
        return f"unknown field; {nearest(field, _siblings(item['loc'], tree, root))}"
    if item["type"] == "missing":
        return "expected a value, got none"
    message = str(item["msg"]).removeprefix("Value error, ")
    simple = isinstance(item.get("input"), (str, int, float, bool, type(None)))
    return message + (f", got {item['input']!r}" if simple and "got" not in message else "")


def _siblings(loc: Location, tree: Any, root: type[BaseModel]) -> list[str]:
    model: Any = root
    for name in loc[:-1]:
        annotation = model.model_fields[name].annotation if isinstance(name, str) and name in model.model_fields else None
        options = [a for a in (annotation, *getattr(annotation, "__args__", ())) if isinstance(a, type)]
        model = next((a for a in options if issubclass(a, BaseModel)), model)
    if model is not root and isinstance(model, type) and issubclass(model, Component):
        from harness.spec.registry import REGISTRY, canonical, lookup

        known = canonical(model.kind, str(_at(loc[:-1], tree).get("name")))
        return sorted({f for n in ([known] if known else REGISTRY[model.kind]) for f in lookup(model.kind, n).model_fields})
    return list(model.model_fields)


def _at(loc: Location, tree: Any) -> dict[str, Any]:
    """Return the mapping at ``loc``; an empty one where the tree does not reach so far."""
    for part in loc:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return {}
    return dict(tree) if isinstance(tree, Mapping) else {}


def _where(loc: Location, tree: Any, source: str) -> str:
    field = ".".join(str(part) for part in loc) or "as a whole"
    line = _line(loc, tree)
    return f"{Path(source).name}:{line[0]}:{line[1]}: {field}" if line else field


def _line(loc: Location, tree: Any) -> tuple[int, int] | None:
    """Follow ``loc`` through ruamel's nodes as far as they go; 1-based."""
    found = None
    for part in loc:
        marks = getattr(tree, "lc", None)
        if marks is None or not isinstance(tree, (Mapping, list)):
            break
        try:
            row, column = marks.key(part) if isinstance(tree, Mapping) else marks.item(part)
            found, tree = (row + 1, column + 1), tree[part]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            break
    return found


def _parse(path: Path) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        tree = YAML(typ="rt", pure=True).load(path.read_text(encoding="utf-8"))
    except YAMLError as error:
        raise SpecError(f"{path}: can't be read as YAML or JSON: {error}") from None
    if not isinstance(tree, Mapping):
        raise SpecError(f"{path}: expected fields such as 'name' and 'recipe', got {type(tree).__name__}")
    return tree


def _from_script(path: Path) -> Study:
    try:
        names = runpy.run_path(str(path), run_name=path.stem)
    except ValidationError as error:
        raise SpecError(explain(error, None, str(path))) from None
    except HarnessError:
        raise
    except Exception as error:
        raise SpecError(f"{path}: the script fails: {type(error).__name__}: {error}") from error
    studies = [value for value in names.values() if isinstance(value, Study)]
    if len(studies) != 1:
        raise SpecError(f"{path}: expected one Study at the top level, such as 'study = Study(...)', got {len(studies)}")
    return studies[0]


def schema() -> str:
    """Return the JSON schema of a study, for editors that complete and check YAML."""
    return json.dumps(Study.model_json_schema(), indent=2)


__all__ = ["Recipe", "beside", "load_study", "override", "schema", "validate"]
