"""How the arms of a study are tuned.

What is asked, and no more: :mod:`harness.protocol.tuner` has the samplers and pruners of these
names, :mod:`harness.protocol.objective` the objective.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from harness.core.metric_names import larger_is_better
from harness.spec.looks import SEARCH_SEED, SEARCHES_A_MASTER, Searches, seed_in_block
from harness.spec.metrics import Directed
from harness.spec.patterns import OBJECTIVE

Fixed = Literal["sampler", "training", "split"]
"""What searches may share."""

STARTUP = 8
"""Trials of a learning sampler before it learns: scrambled Sobol' points, asked at once. They leave
half of the default's 16 trials to learn; ``python -m benchmarks.regret`` shows what that brings
over random search. 4 and 6 are as good after 16 trials, and make more rounds of smaller cohorts."""
BATCH = 4
"""Trials asked at once by default."""


class Search(Directed):
    """How every arm is tuned: the same number of trials each, on validation data.

    All fields but ``trials`` and ``searches`` go into the name of the arm's search in Optuna's
    storage (:meth:`dump_asks`): with another value it is another search.
    """

    trials: int = Field(default=16, ge=1, le=1_000_000)
    """Trials for each arm, in each search; an arm without spaces needs none."""
    searches: Annotated[int, Field(ge=1, le=SEARCHES_A_MASTER)] | Searches = 1
    """Independent searches of every arm, each of which freezes a winner of its own and confirms it
    with fresh seeds; ``Searches(min, max)`` for as many as the claims need. From three on, verdicts
    speak of methods, whatever winner a search may freeze, and not of the winners of one search."""
    fixed: tuple[Fixed, ...] = ()
    """What all searches share, each of which otherwise has its own: the sampler's stream, the seed
    that trials are trained with, and the split into training and validation data."""
    objective: str = Field(default="valid/loss", pattern=OBJECTIVE)
    """Metric that a trial is judged by, recorded by every run; test data are not for tuning."""
    reduce: Literal["final", "best", "mean"] = "final"
    """The value of the last evaluation, the best one, or the mean over training."""
    direction: Literal["auto", "minimize", "maximize"] = "auto"
    """"auto" goes by the metric: accuracy is maximised, a loss minimised, and a metric of your own
    as the recipe declares it."""
    sampler: Literal["tpe", "random", "qmc", "gp", "cmaes", "grid"] = "tpe"
    """How trials are chosen: tree-structured Parzen estimator (Bergstra et al. 2011), at random,
    scrambled Sobol' points, Gaussian process, CMA-ES (Hansen 2016), or the points of a grid in
    random order. All but "random", "qmc" and "grid" learn from earlier trials, after a start of 8
    Sobol' points."""
    batch: int = Field(default=BATCH, ge=1, le=1_000_000)
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
    repeats: int = Field(default=1, ge=1, le=SEARCH_SEED)
    """Training seeds for each trial; its objective is their mean."""
    seed: int = Field(default=0, ge=0, lt=10_000)
    """The master seed: names the sampler's streams, the training seeds, splits and confirm seeds of
    all searches. Another one repeats the whole study afresh."""

    @field_validator("searches", mode="before")
    @classmethod
    def _parse_searches(cls, value: object) -> object:
        """Refuse what is neither a number nor looks in one sentence, and not in one for each."""
        if isinstance(value, Searches):
            return value
        if isinstance(value, Mapping):
            return Searches.model_validate(value)
        if type(value) is int and 1 <= value <= SEARCHES_A_MASTER:
            return value
        raise ValueError(
            f"expected a whole number from 1 to {SEARCHES_A_MASTER}, or min and max, got {value!r}"
        )

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
            return larger_is_better(self.objective, self._declared)
        return self.direction == "maximize"

    def schedule(self) -> tuple[int, ...]:
        """Return the number of searches at each look, rising."""
        return self.searches.schedule() if isinstance(self.searches, Searches) else (self.searches,)

    def dump_asks(self) -> dict[str, object]:
        """Return, in plain form, what decides the trials but their number.

        ``trials`` and ``searches`` are left out, so that a study that raises them continues the
        same searches: the first trials are the same, and known.
        """
        return self.model_dump(mode="json", exclude={"trials", "searches"})

    def training_seeds(self, search: int) -> tuple[int, ...]:
        """Return the training seeds of every trial of a search, never used to confirm.

        Args:
            search: its number, from 0.
        """
        block = self._block(search, "training")
        first = seed_in_block(self.seed, block, SEARCH_SEED)
        return tuple(range(first, first + self.repeats))

    def split(self, search: int) -> int:
        """Return what a search adds to the number of the data's split.

        Args:
            search: its number, from 0.
        """
        return self.seed * SEARCHES_A_MASTER + self._block(search, "split")

    def sampler_stream(self, search: int) -> tuple[int, ...]:
        """Return what names a search's sampler, beside master seed and arm; nothing for the first.

        Args:
            search: its number, from 0.
        """
        block = self._block(search, "sampler")
        return (block,) if block else ()

    def _block(self, search: int, what: Fixed) -> int:
        """Return the search whose streams are used; the first one's where they are shared."""
        return 0 if what in self.fixed else search
