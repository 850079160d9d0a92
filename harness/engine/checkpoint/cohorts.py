"""A cohort between two updates as a tree, and back.

Whatever field a cohort or a member has is in it by itself, so that a new part of the state needs
no line here. Left out is what follows from the runs: specs, programs, memory to work in.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import fields
from typing import Any, cast

import torch
from torch import Tensor

from harness.core.noise import Noise
from harness.engine.checkpoint.objects import ObjectReader, ObjectWriter
from harness.engine.checkpoint.tree import Tree, from_tree, to_tree
from harness.engine.cohort import Cohort, Member, OpenInterval
from harness.engine.external.state import ExternalState, external_state
from harness.engine.program import program_of
from harness.optimizers.external import ExternalOptimizer
from harness.spec.arms import Run

OWN_FORM = ("members", "external", "interval", "workspace")
"""Fields of a cohort that have a form of their own, or none."""


def cohort_to_tree(cohort: Cohort) -> Tree:
    """Return a cohort as a tree that is saved at once: it holds the cohort's own tensors.

    Args:
        cohort: between two updates.

    Raises:
        NotKeptError: another library's optimizer holds something whose state can't be seen.
    """
    own = {f.name: getattr(cohort, f.name) for f in fields(cohort) if f.name not in OWN_FORM}
    members = [
        {f.name: getattr(member, f.name) for f in fields(member) if f.name != "run"}
        for member in cohort.members
    ]
    external, interval = cohort.external, cohort.interval
    return {
        "cohort": to_tree(own),
        "members": to_tree(members),
        "external": external and ObjectWriter(external.parameters).write(vars(external.optimizer)),
        "interval": interval and _interval_to_tree(interval),
    }


def cohort_from_tree(tree: Tree, runs: Sequence[Run]) -> Cohort:
    """Return the cohort that a tree was made of.

    Args:
        tree: as :func:`cohort_to_tree` made it.
        runs: those that the cohort was started with.

    Raises:
        NotKeptError: the tree does not fit.
    """
    parts = cast("dict[str, Tree]", tree)
    own = cast("dict[str, Any]", from_tree(parts["cohort"]))
    kept = cast("list[dict[str, Any]]", from_tree(parts["members"]))
    members = [Member(run=runs[each["index"]], **each) for each in kept]
    cohort = Cohort(members=members, external=None, **own)
    if parts["external"] is not None:
        cohort.external = _external_from_tree(parts["external"], cohort)
    if parts["interval"] is not None:
        cohort.interval = _interval_from_tree(parts["interval"], cohort)
    return cohort


def _external_from_tree(tree: Tree, cohort: Cohort) -> ExternalState:
    """Return the optimizer, made afresh, with the state that it had."""
    program = program_of(cohort.members[0].run.recipe)
    optimizer = program.recipe.optimizer
    assert isinstance(optimizer, ExternalOptimizer), "no other has a state of this kind"
    made = external_state(program, optimizer, cohort.w_KP)
    ObjectReader(made.parameters).read(tree, vars(made.optimizer))
    return made


def _interval_to_tree(interval: OpenInterval) -> Tree:
    now = time.perf_counter()
    losses_SK = torch.stack(interval.losses) if interval.losses else None
    return to_tree(
        {
            "noise": interval.noise.begun(),
            "losses": losses_SK,
            "probed": interval.probed,
            "arrays": interval.arrays,
            "seconds": interval.seconds + now - interval.began,
        }
    )


def _interval_from_tree(tree: Tree, cohort: Cohort) -> OpenInterval:
    own = cast("dict[str, Any]", from_tree(tree))
    program = program_of(cohort.members[0].run.recipe)
    seeds = [member.run.seed for member in cohort.members]
    noise = Noise(seeds, cohort.done, program.device, program.dtype)
    noise.go_on(own.pop("noise"))
    losses_SK = cast("Tensor | None", own.pop("losses"))
    losses = [] if losses_SK is None else list(losses_SK)
    return OpenInterval(noise=noise, losses=losses, **own)
