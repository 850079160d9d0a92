"""The keys that name runs, cohorts and studies: hashes of all that their numbers follow from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from harness.spec.arms import Run
from harness.spec.component import External
from harness.spec.recipe import Recipe
from harness.spec.study import Study

ENGINE = "5"
"""Version of the numerics; raised whenever the same recipe and seed would give other numbers."""


def digest(value: object) -> str:
    """Return the SHA-256 of a plain value's canonical JSON, as hex digits.

    Args:
        value: what JSON holds; the order of mappings does not matter.
    """
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def run_key(run: Run, fingerprint: str, code: str) -> str:
    """Return the identity of a run: equal keys mean equal numbers.

    Args:
        run: resolved recipe and seed.
        fingerprint: hash of the data's arrays.
        code: hash of the user's or library's code that the recipe names.
    """
    parts: list[object] = [run.recipe.dump(), run.seed, fingerprint, code, ENGINE]
    # Left out where there are none, so that runs recorded before there were probes keep their keys.
    if run.probes:
        parts.append([probe.dump() for probe in run.probes])
    return digest(parts)


def shape_key(recipe: Recipe) -> str:
    """Return what runs must share to train in one cohort.

    Args:
        recipe: a recipe without spaces.

    Returns:
        The hash of the recipe less its numbers, its schedule and its optimizer; the optimizer stays
        where it is another library's, which trains alone.
    """
    tree = recipe.dump()
    del tree["schedule"]
    if not isinstance(recipe.optimizer, External):
        del tree["optimizer"]
    for path in recipe.numbers():
        if path.startswith("optimizer."):  # gone with the optimizer, or kept with it
            continue
        part, _, name = path.rpartition(".")
        _part_at(tree, part).pop(name, None)
    return digest(tree)


def _part_at(tree: Mapping[str, object], path: str) -> dict[str, object]:
    """Return the plain form of the part at ``path``, such as ``model`` or ``regularizers.L2``."""
    field, _, name = path.partition(".")
    part = tree[field]
    if isinstance(part, list):
        part = next(item for item in part if item["name"] == name)
    assert isinstance(part, dict)
    return part


def spec_hash(study: Study) -> str:
    """Return the hash of the whole study as asked."""
    return digest(study.dump())
