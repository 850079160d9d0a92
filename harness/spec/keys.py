"""The keys that name runs, cohorts and studies: hashes of all that their numbers follow from.

Stores are full of these keys: whatever changes the text that is hashed here, if only the order of a
list, makes every recorded run unknown, and it is trained again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from harness.spec.arms import Run
from harness.spec.component import External
from harness.spec.own_trainer import without_limits
from harness.spec.recipe import Recipe
from harness.spec.streaming import without_workers
from harness.spec.study import Study

ENGINE = "6"
"""Version of the numerics; raised whenever the same recipe and seed would give other numbers."""


def digest(value: object) -> str:
    """Return the SHA-256 of a plain value's canonical JSON, as hex digits.

    Args:
        value: what JSON holds; the order of mappings does not matter.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    # keys sorted and no spaces: one text for equal values, whatever made them
    return hashlib.sha256(
        json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
    ).hexdigest()


def run_key(run: Run, fingerprint: str, code: str) -> str:
    """Return the identity of a run: equal keys mean equal numbers.

    Args:
        run: resolved recipe and seed.
        fingerprint: hash of the data's arrays (:func:`harness.data.base.fingerprint`), so that a
            file that changed under the same name is noticed.
        code: hash of the user's or library's code that the recipe names
            (:func:`harness.spec.source_code.code_of`); empty where it names none.

    Returns:
        64 hex digits. Arm, stage and trial are no part of it: the same run is trained once,
        whoever asks for it.
    """
    recipe = run.recipe.dump()
    if run.recipe.trainer is not None:
        # what ends a run that goes wrong changes no number of one that does not
        recipe["trainer"] = without_limits(recipe["trainer"])
    if "data" in recipe:  # a loop of one's own may have none
        recipe["data"] = without_workers(recipe["data"])
    parts: list[object] = [recipe, run.seed, fingerprint, code, ENGINE]
    # what only some models make of muP; left out where it never changed
    version = getattr(run.recipe.model, "parametrized", 1)
    if run.recipe.parametrization == "mup" and version != 1:
        parts.append({"parametrized": version})
    # Left out where there are none, so that runs recorded before there were probes keep their keys.
    if run.probes:
        parts.append([probe.dump() for probe in run.probes])
    return digest(parts)


def shape_key(recipe: Recipe) -> str:
    """Return what runs must share to train in one cohort.

    A cohort is one program over stacked weights: shapes, data, batch size and length must agree.
    Numbers are tensors with an entry for each member, schedules and optimizers are applied to the
    members that have them, and members may be on several splits of the data, so that those may
    differ. (Where splits are better trained apart, :func:`harness.engine.cohort_key.cohort_key`
    says so.)

    Args:
        recipe: a recipe without spaces.

    Returns:
        The hash of the recipe less its numbers, its schedule, its split of the data and its
        optimizer; the optimizer stays where it is another library's, which trains alone.
    """
    tree = recipe.dump()
    if recipe.trainer is not None:  # each run trains alone, and nothing is known of its shape
        return digest(tree)
    del tree["schedule"]
    _part_at(tree, "data").pop("split", None)
    if not isinstance(recipe.optimizer, External):
        del tree["optimizer"]
    for path in recipe.numbers():
        # Checked first, since the part may be gone from the tree.
        if path.startswith("optimizer."):  # gone with the optimizer, or kept with it
            continue
        part, _, name = path.rpartition(".")
        _part_at(tree, part).pop(name, None)
    return digest(tree)


def _part_at(tree: Mapping[str, object], path: str) -> dict[str, object]:
    """Return the plain form of the part at ``path``, such as ``model``, ``regularizers.L2`` or
    ``groups.*.bias``."""
    field, _, name = path.partition(".")
    part = tree[field]
    if field == "groups":
        assert isinstance(part, dict)
        part = part[name]
    if isinstance(part, list):  # regularizers, each kind at most once
        part = next(item for item in part if item["name"] == name)
    assert isinstance(part, dict)
    return part


def spec_hash(study: Study) -> str:
    """Return the hash of the whole study as asked: its plain form, without data and code.

    Two studies with the same hash ask the same; whether they get the same answer also depends on
    what :func:`harness.protocol.run.answer_identity` adds.
    """
    # how often runs are saved is no part of the question
    return digest({name: own for name, own in study.dump().items() if name != "checkpoint"})
