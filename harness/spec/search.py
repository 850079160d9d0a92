"""How the arms of a study are tuned.

What is asked, and no more: :mod:`harness.protocol.tuner` has the samplers and pruners of these
names, :mod:`harness.protocol.objective` the objective.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from harness.core.metric_names import larger_is_better
from harness.spec.base import Spec
from harness.spec.seeds import SEARCH_SEED


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
    random order. All but "random", "qmc" and "grid" learn from earlier trials."""
    batch: int = Field(default=8, ge=1)
    """Trials asked at once; larger fills cohorts better, smaller learns more between asks."""
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
