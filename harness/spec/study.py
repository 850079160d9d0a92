"""Studies: one question, the arms compared, the budget of the search, the seeds and the claims.

A study is complete and checked as far as specs can be when it has been made. Whether its parts go
together (a network with its data) shows in :mod:`harness.protocol.check`, before anything trains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from html import escape
from typing import Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from harness.core.html import html_table
from harness.core.registry import load_entry
from harness.spec.arms import build_arms
from harness.spec.base import Spec
from harness.spec.claims import AnyClaim, Claim
from harness.spec.claims.fields import MetricName
from harness.spec.error_words import half_in_words
from harness.spec.imported import Imported
from harness.spec.levels import LevelField, parse_levels, plain_level
from harness.spec.looks import FEWEST_FOR_METHODS, Look, Searches, seed_in_block
from harness.spec.metrics import has_direction, no_direction
from harness.spec.patterns import STUDY_NAME
from harness.spec.probes import ProbePart, expand_sets
from harness.spec.recipe import Recipe
from harness.spec.search import Search
from harness.spec.seeds import Seeds, parse_seeds


class Study(Spec):
    """One question and everything that is needed to answer it."""

    name: str = Field(pattern=STUDY_NAME, max_length=80)
    """Name of the study, of its MLflow experiment and of its report."""
    question: str = ""
    """The question in a sentence; the report opens with it."""
    recipe: Recipe
    """What all arms share."""
    compare: dict[str, dict[str, LevelField]] = {}
    """Factors by recipe field (or by a name of your own, with levels that map fields to values);
    several factors cross."""
    search: Search | None = None
    """How arms are tuned, and in how many searches; needed when a recipe holds spaces."""
    seeds: tuple[int, ...] | Seeds = tuple(range(5))
    """Seeds of the confirmation, numbered within each search's block: n stands for 0 … n-1,
    ``Seeds(min, max)``, beside one search, for as many as the claims need."""
    claims: tuple[AnyClaim, ...] = ()
    """What is tested."""
    metric: MetricName | None = None
    """Metric that the arms are ranked by, named as in claims; by default the search's objective, on
    test data."""
    answer: tuple[int, ...] = Field(default=(), exclude_if=lambda claims: not claims)
    """Numbers of the claims, from 0, that answer the question: the report's first sentence is made
    of them; by default of all where they are three at most, else of the first."""
    hero: str = Field(default="", exclude_if=lambda figure: not figure)
    """Figure that stands on the report's first screen beside the claims, by its name in
    ``results.figures``, such as ``interactions``."""
    probes: tuple[ProbePart, ...] = ()
    """What is measured in the runs of the confirmation, beside loss and accuracy."""
    checkpoint: float = Field(default=1.0, ge=0, exclude_if=lambda minutes: minutes == 1.0)
    """Minutes between the checkpoints of runs that take longer; 0 for none. A killed run goes on
    from its last one, to the same numbers."""
    limit: float = Field(default=600.0, gt=0, exclude_if=lambda seconds: seconds == 600.0)
    """Seconds that one update, or a piece of an evaluation, may take where code is your own: a run
    that takes longer fails with its reason. A training loop of your own has ``trainer.limit``."""
    keep: Literal["best", "last"] | None = Field(default=None, exclude_if=lambda kept: kept is None)
    """Weights of the confirm runs that are kept with them, for ``results.load(…).weights(arm,
    seed)``: of each run's last evaluation, or of its best one on validation data."""
    first_look: bool = False
    """Whether it shows effects and gives no verdict; ``--quick`` makes it so. Few seeds of one
    search may say anything."""
    imported: Imported | None = Field(default=None, exclude_if=lambda imported: imported is None)
    """Where the runs come from, if they were trained elsewhere; the plain form has the field only
    then."""
    quick: dict[str, object] = {"search.trials": 4, "search.searches": 1, "seeds": 3}
    """Fields replaced by ``--quick``, by path (``recipe.epochs``): a smaller form of the study, a
    first look that is recorded under a name of its own."""

    @field_validator("question")
    @classmethod
    def _question_can_be_written(cls, value: str) -> str:
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(half_in_words(error)) from None
        return value

    @field_validator("probes", mode="before")
    @classmethod
    def _probes_of_sets(cls, value: object) -> object:
        """Replace sets of probes by their probes; anything else is left for pydantic to refuse."""
        if isinstance(value, Mapping):  # one probe or set by itself
            return expand_sets([value])
        return expand_sets(value) if isinstance(value, (str, list, tuple)) else value

    @field_validator("compare", mode="before")
    @classmethod
    def _levels_by_name(cls, value: object) -> object:
        """Parse the levels here, where their factors' names are known; a level's field is not
        told."""
        if not isinstance(value, Mapping):
            return value
        return {factor: parse_levels(factor, levels) for factor, levels in value.items()}

    @field_validator("seeds", mode="before")
    @classmethod
    def _parse_seeds(cls, value: object) -> object:
        return parse_seeds(value)

    @field_validator("search")
    @classmethod
    def _search_knows_metrics(cls, value: Search | None, info: ValidationInfo) -> Search | None:
        """Bind the search to what the recipe's metrics declare; a recipe that is refused has none
        to bind to."""
        recipe = info.data.get("recipe")
        return value.bound_to(recipe.declared) if value and recipe else value

    @field_validator("claims")
    @classmethod
    def _claims_know_metrics(
        cls, value: tuple[AnyClaim, ...], info: ValidationInfo
    ) -> tuple[AnyClaim, ...]:
        recipe = info.data.get("recipe")
        return tuple(claim.bound_to(recipe.declared) for claim in value) if recipe else value

    @model_validator(mode="after")
    def _arms_and_claims_fit(self) -> Self:
        """Refuse levels that don't fit the recipe, and claims about what the study does not have.

        Only the first misfit is reported: a misspelled arm makes many claims wrong at once.
        """
        arms = build_arms(self)  # building them checks every level
        if other := [arm.name for arm in arms if arm.recipe.metrics != self.recipe.metrics]:
            raise ValueError(
                f"compare: expected the same metrics for all arms, got others for {other[0]!r}; "
                "list them all in recipe.metrics"
            )
        names = [arm.name for arm in arms]
        for position, claim in enumerate(self.claims):
            misfit = next(claim.misfits(names, self.compare), None)
            if misfit is not None:  # it begins with the claim's field, or with a colon
                raise ValueError(f"claims.{position}{misfit}")
        if isinstance(self.seeds, Seeds) and not self.claims:
            raise ValueError(
                "seeds: expected claims to decide, since seeds are added until they are decided, "
                "got none"
            )
        return self

    @model_validator(mode="after")
    def _directions_are_known(self) -> Self:
        """Refuse an objective, a ranking or a claim of a metric whose direction is not declared."""
        needed = {
            f"claims.{i}.on": claim.on
            for i, claim in enumerate(self.claims)
            if not claim.direction_given
        }
        if self.metric is not None:
            needed["metric"] = self.metric
        if self.search is not None and self.search.direction == "auto":
            needed["search.objective"] = self.search.objective
        for field, metric in needed.items():
            if not has_direction(metric, self.recipe.declared):
                raise ValueError(f"{field}: {no_direction(metric)}")
        return self

    @model_validator(mode="after")
    def _answers_are_claims(self) -> Self:
        """Refuse an answer that names no claim."""
        if missing := [number for number in self.answer if not 0 <= number < len(self.claims)]:
            raise ValueError(
                f"answer: expected numbers of claims, from 0 to {len(self.claims) - 1}, got "
                f"{missing[0]}"
                if self.claims
                else "answer: expected claims that answer the question, got none"
            )
        return self

    @model_validator(mode="after")
    def _one_thing_grows(self) -> Self:
        """Refuse seeds that are added look by look beside several searches."""
        if isinstance(self.seeds, Seeds) and self._searches()[-1] > 1:
            raise ValueError(
                "seeds: expected a fixed number beside several searches, got min and max; let the "
                "searches grow (search.searches: {min: 5, max: 20}), which decides claims sooner"
            )
        if self.search and not self.claims and isinstance(self.search.searches, Searches):
            raise ValueError(
                "search.searches: expected claims to decide, since searches are added until they "
                "are decided, got none"
            )
        return self

    @model_validator(mode="after")
    def _scopes_can_be_judged(self) -> Self:
        """Refuse claims about methods where there are too few searches to speak of any."""
        searches = self._searches()[0]
        for position, claim in enumerate(self.claims):
            if claim.scope == "method" and searches < FEWEST_FOR_METHODS and not self.first_look:
                raise ValueError(
                    f"claims.{position}.scope: expected {FEWEST_FOR_METHODS} searches or more to "
                    f"speak of a method, got {searches}; set search.searches to 5, or the scope to "
                    "'winner'"
                )
        return self

    @cached_property
    def tuned(self) -> bool:
        """Whether any arm has something to tune: spaces, and a ``search`` that says how."""
        return self.search is not None and any(arm.recipe.spaces() for arm in build_arms(self))

    def _searches(self) -> tuple[int, ...]:
        """Return the number of searches at each look; one where nothing is tuned."""
        if self.imported is not None:
            return (self.imported.searches,)
        return self.search.schedule() if self.search is not None and self.tuned else (1,)

    @property
    def scope(self) -> Literal["method", "winner"]:
        """Whether the study speaks of methods or of the winners of its searches."""
        return "method" if self._searches()[0] >= FEWEST_FOR_METHODS else "winner"

    def scope_of(self, claim: Claim) -> Literal["method", "winner"]:
        """Return what a claim is about: by itself, or as the study's number of searches has it."""
        return self.scope if claim.scope == "auto" else claim.scope

    @property
    def looks(self) -> tuple[Look, ...]:
        """The runs of each look, every one of which holds those before, so that no run is wasted;
        fixed numbers of searches and seeds are one look."""
        searches = self._searches()
        if isinstance(self.seeds, Seeds):
            first = self.seeds.start
            rows = [range(first, first + count) for count in self.seeds.schedule()]
            return tuple(self._look(searches[0], row) for row in rows)
        return tuple(self._look(count, self.seeds) for count in searches)

    def _look(self, searches: int, seeds: Sequence[int]) -> Look:
        """Return the look at so many searches, given the seeds within each one's block."""
        master = self.search.seed if self.search is not None and self.tuned else 0
        numbers = tuple(range(searches))
        blocks = [tuple(seed_in_block(master, k, seed) for seed in seeds) for k in numbers]
        return Look(numbers, tuple(blocks))

    def dump(self) -> dict[str, object]:
        """Return the plain form: the same study as YAML or JSON.

        ``Study.model_validate`` turns it into an equal study. It is stored with the results, and
        its hash names the study's answer.
        """
        # Levels are of any type to pydantic, which would not know how to write parts and spaces.
        tree = self.model_dump(mode="json", exclude={"compare"})
        compare = {}
        for factor, levels in self.compare.items():
            compare[factor] = {name: plain_level(level) for name, level in levels.items()}
        return {**tree, "compare": compare}

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the arms with what is tuned in them, and the claims."""
        arms = build_arms(self)
        rows = [
            [arm.name, ", ".join(f"{path}: {space}" for path, space in arm.recipe.spaces().items())]
            for arm in arms
        ]
        claims = "".join(f"<li>{escape(str(claim))}</li>" for claim in self.claims)
        return (
            f"<p><b>{escape(self.name)}</b>: {escape(self.question)} {len(arms)} arms, "
            f"{self.looks[-1]} each at most.</p>{html_table(['arm', 'tuned'], rows)}"
            f"<ul>{claims}</ul>"
        )

    @classmethod
    def from_frame(cls, table: Any, **options: Any) -> Any:
        """Record runs that were trained elsewhere as a study, and return its results.

        Args:
            table: a row for each run, or for each step of a run: a pandas table, or the path of a
                CSV, TSV, parquet, JSON or JSON-lines file.
            options: ``name``, ``question``, ``claims``, ``metric``, ``store``, and names of columns
                (``arm="optimizer"``); :func:`harness.protocol.imported.frame.from_frame` has all.
        """
        # by their registered names: what records a study lies in a room above
        return load_entry("study.from_frame")(table, **options)

    @classmethod
    def from_mlflow(cls, experiment: str, **options: Any) -> Any:
        """Record the runs that any program logged to an MLflow experiment as a study.

        Args:
            experiment: its name.
            options: ``uri``, ``arm="params.optimizer"``, ``seed="params.seed"``, ``name``,
                ``claims``; :func:`harness.protocol.imported.mlflow.from_mlflow` has all.
        """
        return load_entry("study.from_mlflow")(experiment, **options)

    @classmethod
    def from_wandb(cls, source: Any, **options: Any) -> Any:
        """Record runs that Weights & Biases exported as a study.

        Args:
            source: a file or folder: a chart, the table of runs, or runs' histories.
            options: ``arm``, ``seed``, ``pattern``, ``name``, ``claims``;
                :func:`harness.protocol.imported.wandb.from_wandb` has all.
        """
        return load_entry("study.from_wandb")(source, **options)

    def main(self) -> None:
        """Run this study as a script, with the flags of ``harness run`` from the command line.

        A mistake in the study or the flags ends the process with a message and no traceback.
        """
        # by its registered name: the command line lies in a room above
        load_entry("study.main")(self)
