"""Studies from Python, YAML and JSON files, with errors that point at the line.

All commands read their studies here. Whatever is wrong with a file becomes a ``SpecError``, which
is printed without a traceback.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from harness.core.errors import HarnessError, SpecError, line_of, nearest
from harness.core.paths import near_file
from harness.spec.error_messages import explain
from harness.spec.paths import put
from harness.spec.plain_files import plain_tree, read_tree
from harness.spec.recipe import LENGTHS, Recipe
from harness.spec.study import Study
from harness.spec.trusted_names import trusted_names_only

PLAIN_SUFFIXES = (".yaml", ".yml", ".json")
"""How the names of files end that hold a plain tree and no code."""


def load_study(path: str | Path) -> Study:
    """Read the study in a ``.py``, ``.yaml``, ``.yml`` or ``.json`` file.

    Modules beside the file can be named in its dotted names. A script is executed, but not as
    ``__main__``, so that its ``study.main()`` does not run.

    Args:
        path: the file; its ending says how it is read.

    Raises:
        SpecError: the file is missing, can't be parsed, or is no valid study; every mistake is
            listed.
    """
    path = Path(path)
    if not _is_file(path):
        meant = near_file(path) or f"write one with 'harness new {path}'"
        raise SpecError(f"{path}: no such file; {meant}")
    _make_importable(path.parent)
    if path.suffix == ".py":
        return _from_script(path)
    if path.suffix in PLAIN_SUFFIXES:
        return validate(read_tree(path), str(path))
    raise SpecError(f"{path}: expected a .py, .yaml, .yml or .json file, got '{path.suffix}'")


def name_of_spec(path: Path) -> str:
    """Return the name of the study in a file; of YAML and JSON without the user's code that it
    names.

    Args:
        path: as for :func:`load_study`.

    Raises:
        SpecError: the file is missing, can't be parsed, or says no name.
    """
    if path.suffix not in PLAIN_SUFFIXES or not _is_file(path):
        return load_study(path).name
    name = read_tree(path).get("name")
    if not isinstance(name, str):
        raise SpecError(f"{path}: expected 'name', the name of the study, got {name!r}")
    return str(name)


def validate(tree: object, source: str) -> Study:
    """Turn a plain tree into a study; what it names must be the user's own, or of a library that is
    trusted (:mod:`harness.spec.trusted_names`).

    Args:
        tree: nested mappings and lists; those of ruamel's parser know their lines, which the error
            then tells.
        source: the file, or what stands for it in the error.

    Raises:
        SpecError: with one line for each mistake, located in ``source``.
    """
    try:
        with trusted_names_only():
            return Study.model_validate(plain_tree(tree, source))
    except ValidationError as error:
        # from None: pydantic's own text says the same without lines and nearest names
        raise SpecError(explain(error, tree, source, Study)) from None


def override(study: Study, changes: Mapping[str, object]) -> Study:
    """Return the study with the fields at dotted paths replaced, such as ``recipe.epochs``.

    A new length of the recipe takes the place of the old one. Changes of the search are passed over
    where nothing is searched, so that ``quick`` can have them for all studies.

    Args:
        study: stays as it is.
        changes: new values by path, plain ones as YAML has them; from ``--set`` or ``study.quick``.
            A path of the recipe may do without its ``recipe.``, as in factors.

    Raises:
        SpecError: a path names no field, or a value does not fit its field.
    """
    tree = study.dump()
    for path, value in changes.items():
        head = path.partition(".")[0]
        if head not in Study.model_fields:
            if head not in Recipe.model_fields:
                hint = nearest(head, [*Study.model_fields, *Recipe.model_fields])
                raise SpecError(f"--set {path}: unknown field of the study: {hint}")
            path = f"recipe.{path}"
        if tree.get("search") is None and path.startswith("search."):
            continue
        if path.removeprefix("recipe.") in LENGTHS:
            # a recipe must have exactly one length, and the old one may be given in another unit
            for length in LENGTHS:
                put(tree, f"recipe.{length}", None)
        put(tree, path, value)
    return validate(tree, "the study after --quick and --set")


def _is_file(path: Path) -> bool:
    """Return whether there is such a file, whose name may be too long to be one."""
    try:
        return path.is_file()
    except OSError:
        return False


def _make_importable(folder: Path) -> None:
    """Make the modules in a folder importable, from now on: runs import them later.

    The folder goes to the front, as Python itself does with a script's; workers get the same path.
    """
    resolved = str(folder.resolve())
    if resolved not in sys.path:
        sys.path.insert(0, resolved)


def _from_script(path: Path) -> Study:
    """Run a script and return the one study that it defines at its top level."""
    try:
        # Named after its file: its classes then have a module that workers can import.
        names = runpy.run_path(str(path), run_name=path.stem)
    except SpecError as error:  # explained already, but for its place
        raise SpecError(f"{line_of(error.__traceback__)}{error}") from None
    except HarnessError:
        raise
    except (Exception, SystemExit) as error:
        raise SpecError(f"{path}: the script fails: {type(error).__name__}: {error}") from error
    studies = [value for value in names.values() if isinstance(value, Study)]
    if len(studies) != 1:
        raise SpecError(
            f"{path}: expected one Study at the top level, such as 'study = Study(...)', "
            f"got {len(studies)}"
        )
    return studies[0]


def json_schema() -> str:
    """Return the JSON schema of a study as JSON text, for editors that complete and check YAML.

    It describes the fields of every registered part, and so imports them all.
    """
    return json.dumps(Study.model_json_schema(), indent=2)
