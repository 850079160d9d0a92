"""A cohort that a benchmark trains on, turn by turn."""

from __future__ import annotations

import numpy as np

import harness as h
from harness.engine.cohort import start
from harness.engine.denormals import denormals_as_zero
from harness.engine.evaluate import evaluate_members
from harness.engine.loop import train_interval
from harness.engine.program import Program, program_of
from harness.spec.arms import Run
from harness.spec.resolved import resolve


class TrainedCohort:
    """A cohort of the harness, from its initial weights on.

    Args:
        recipe: of all members, which differ in their seeds.
        members: how many.
    """

    def __init__(self, recipe: h.Recipe, members: int) -> None:
        self.program: Program = program_of(resolve(recipe))
        self.cohort = start([Run.of(recipe, seed) for seed in range(members)], False)

    def __call__(self, steps: int) -> np.ndarray:
        """Make so many more updates; return their losses (S, K)."""
        train = denormals_as_zero()(train_interval)
        return train(self.program, self.cohort, self.cohort.done + steps).losses_SK.numpy()

    def evaluate(self, times: int) -> None:
        """Evaluate the members on training and validation samples, so many times."""
        recipes = [member.run.recipe for member in self.cohort.members]
        for _ in range(times):
            evaluate_members(self.program, self.cohort.w_KP, self.cohort.buffers, recipes)
