"""How the arms of a study are tuned.

What is asked, and no more: :mod:`harness.protocol.tuner` has the samplers and pruners of these
names, :mod:`harness.protocol.objective` the objective.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field

from harness.core.metric_names import larger_is_better
from harness.spec.base import Spec
from harness.spec.seeds import SEARCH_SEED

STARTUP = 8
"""Trials of a learning sampler before it learns: scrambled Sobol' points, asked at once. They leave
half of the default's 16 trials to learn; ``python -m benchmarks.regret`` shows what that brings
over random search. 4 and 6 are as good after 16 trials, and make more rounds of smaller cohorts."""
BATCH = 4
"""Trials asked at once by default."""


class Search(Spec):
    """How every arm is tuned: the same number of trials each, on validation data.

    All fields but ``trials`` go into the name of the arm's search in Optuna's storage
    (:meth:`dump_asks`): with another value it is another search.
    """

    trials: int = Field(default=16, ge=1)
    """Trials for each arm; an arm without spaces needs none."""
    objective: str = Field(default="valid/loss", pattern=r"^(train|valid|batch)/\w+$")
    """Metric that a trial is judged by, recorded by every run; test data are not for tuning."""
    reduce: Literal["final", "best", "mean"] = "final"
    """The value of the last evaluation, the best one, or the mean over training."""
    direction: Literal["auto", "minimize", "maximize"] = "auto"
    """"auto" maximises accuracy and minimises everything else."""
    sampler: Literal["tpe", "random", "qmc", "gp", "cmaes", "grid"] = "tpe"
    """How trials are chosen: tree-structured Parzen estimator (Bergstra et al. 2011), at random,
    scrambled Sobol' points, Gaussian process, CMA-ES (Hansen 2016), or the points of a grid in
    random order. All but "random", "qmc" and "grid" learn from earlier trials, after a start of 8
    Sobol' points."""
    batch: int = Field(default=BATCH, ge=1)
    """Trials asked at once; larger fills cohorts better, smaller learns more between asks. The
    first round has all trials of the start; where nothing learns, neither the sampler nor a pruner,
    all trials are asked at once."""
    pruner: Literal["none", "median", "hyperband", "asha"] = "none"
    """Rule by which hopeless trials are ended early, at the rungs: those worse than the median of
    earlier ones, Hyperband (Li et al. 2018), or asynchronous successive halving (Li et al. 2020).
    """
    rungs: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.25, 0.5)
    """Where trials may be pruned, as shares of the whole length."""
    grid: int = Field(default=5, ge=2)
    """Points on each axis that is not a choice, for the grid sampler; ``trials`` is the most of
    them that are trained."""
    repeats: int = Field(default=1, ge=1)
    """Training seeds for each trial; its objective is their mean."""
    seed: int = 0
    """Names the sampler's streams."""

    @property
    def learns(self) -> bool:
        """Whether the sampler looks at the trials before."""
        return self.sampler in ("tpe", "gp", "cmaes")

    def round_sizes(self, trials: int) -> tuple[int, ...]:
        """Return how many trials of an arm are asked at once, round after round.

        Args:
            trials: of the arm, in all; raising them changes no trial, only what comes after.

        >>> Search(batch=4).round_sizes(16), Search(batch=4, sampler="qmc").round_sizes(16)
        ((8, 4, 4), (16,))
        """
        if not self.learns and self.pruner == "none":
            return (trials,) if trials else ()
        first = max(self.batch, STARTUP) if self.learns else self.batch
        bounds = [0, *range(min(first, trials), trials, self.batch), trials]
        return tuple(b - a for a, b in pairwise(bounds) if b > a)

    @property
    def maximize(self) -> bool:
        """Whether larger values of the objective are better."""
        if self.direction == "auto":
            return larger_is_better(self.objective)
        return self.direction == "maximize"

    def dump_asks(self) -> dict[str, object]:
        """Return, in plain form, what decides the trials but their number.

        ``trials`` is left out, so that a study that raises it continues the same search: the first
        trials are the same, and known.
        """
        return self.model_dump(mode="json", exclude={"trials"})

    @property
    def seeds(self) -> tuple[int, ...]:
        """Training seeds of every trial, never used to confirm."""
        return tuple(range(SEARCH_SEED, SEARCH_SEED + self.repeats))
