"""The keys that name runs, cohorts and studies: hashes of all that their numbers follow from."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from harness.spec.arms import Run
from harness.spec.component import External
from harness.spec.recipe import Recipe
from harness.spec.study import Study

ENGINE = "5"
"""Version of the numerics; raised whenever the same recipe and seed would give other numbers."""


def digest(value: Any) -> str:
    """Return the SHA-256 of a plain value's canonical JSON."""
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
    probes = [probe.dump() for probe in run.probes]
    return digest(
        [run.recipe.dump(), run.seed, fingerprint, code, ENGINE, *([probes] if probes else [])]
    )


def shape_key(recipe: Recipe) -> str:
    """Return what runs must share to train in one cohort: the recipe less its numbers, schedule and update rule."""
    tree = recipe.dump()
    del tree["schedule"]
    if not isinstance(recipe.optimizer, External):
        del tree["optimizer"]
    for path in (path for path in recipe.numbers() if not path.startswith("optimizer.")):
        part, _, name = path.rpartition(".")
        node = tree if not part else _node(tree, part)
        node.pop(name, None)
    return digest(tree)


def _node(tree: dict[str, Any], path: str) -> dict[str, Any]:
    head, _, rest = path.partition(".")
    found = tree[head] if not rest else next(item for item in tree[head] if item["name"] == rest)
    assert isinstance(found, dict)
    return found


def spec_hash(study: Study) -> str:
    """Return the hash of the whole study as asked."""
    return digest(study.dump())
