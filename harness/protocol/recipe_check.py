"""Whether the parts of one recipe go together, found out by trying them before anything trains."""

from __future__ import annotations

from collections.abc import Iterable

from harness.data.same_data import check_made_again
from harness.engine.external.trial import try_optimizer
from harness.engine.program import Program, program_of
from harness.engine.trial import try_program
from harness.engine.update_trial import try_update
from harness.probes.base import Probe
from harness.spec.resolved import ResolvedRecipe


def check_recipe(recipe: ResolvedRecipe, probes: Iterable[Probe]) -> Program:
    """Return what a recipe is trained by, with all its parts tried on a few samples.

    Args:
        recipe: without a trainer of a user's own.
        probes: what is measured; those of a user's own are tried, too.

    Raises:
        HarnessError: a part fails or does not go with the others, in one sentence.
    """
    check_made_again(recipe.data)
    program = program_of(recipe)
    try_program(program)
    try_optimizer(program)
    try_update(program.recipe, probes)
    return program
