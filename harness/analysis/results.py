"""A study's results as tidy pandas tables, read back from MLflow.

Ranking, verdicts, audit and figures all start from :class:`Results`. Tables are built once and
shared: whoever changes one must copy it first. Nothing here is written back.

>>> from harness import results                            # doctest: +SKIP
>>> study = results.load("optimizers")                     # doctest: +SKIP
>>> study.runs.groupby("arm")["test/loss"].mean()          # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.analysis.bounds import with_bounds
from harness.analysis.tables import closing_names, curve_table, run_table, trial_table
from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.core.metric_names import Declared
from harness.core.registry import load_entry
from harness.core.study_record import ClockReading, FrozenEntry, StudyRecord
from harness.spec.arms import Arm, build_arms, known_arm
from harness.spec.looks import BLOCK, Look
from harness.spec.stored import read_stored
from harness.spec.study import Study
from harness.tracking import Reader

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = Lazy("pandas")  # a study begins without its tables

PLACE = ("run_id", "arm", "stage", "search", "trial", "seed")
"""Columns that say where a run stands in the study."""


def load(study: str, uri: str | None = None) -> Results:
    """Return the results of a study by its name.

    Args:
        study: name of the study; a quick form has "-quick" after it.
        uri: MLflow tracking URI; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the
            working folder.

    Raises:
        NoStudyError: there is no such study.
        StoreError: it has not been run to its end, or the store can't be reached.
    """
    reader = Reader.of(study, uri)
    return Results(reader, *reader.files())


class Results:
    """The tables of one study.

    Args:
        reader: of the study's store; curves and arrays are read when they are asked for.
        spec: the study in plain form.
        record: which runs answer the study, its trials, winners and clocks.
        environment: what it was run with; empty for a study that still runs.
        identity: hash of all that the answer follows from; empty for one that is not whole.

    Attributes:
        spec: the study as it was run, in plain form.
        winners: each arm's frozen recipes, by arm; one a search, in their order.
        importances: share of each searched hyperparameter in reaching good trials, by arm
            (PED-ANOVA).
        clock: how long one update of each arm's frozen recipes takes alone, by arm and search.
        looks_shown: every look at these runs that was shown, with the risk that it took.
        notes: what should be known of data and search, in sentences, such as columns left out.
        environment: commit, packages and hardware it was run with.
        runs: one row a run: ``run_id``, ``arm``, ``stage``, ``search``, ``trial``, ``seed``,
            ``status``, ``key``, a column ``level.<factor>`` a factor, every setting
            (``optimizer.lr``, …), and every closing value (``valid/loss``, ``test/loss``,
            ``cost/seconds``, …). A run that diverged has no closing values but its costs.
        closing: names of the closing values that any run has.
        trials: one row a trial: ``arm``, ``search``, ``trial``, ``status``, ``value`` (its
            objective) and the values searched.
        curves: one row an evaluation of a run: ``run_id``, ``arm``, ``stage``, ``search``,
            ``trial``, ``seed``, ``step``, ``epoch``, ``samples`` and a column a metric.
    """

    def __init__(
        self,
        reader: Reader,
        spec: Mapping[str, object],
        record: StudyRecord,
        environment: Mapping[str, object],
        identity: str = "",
    ) -> None:
        self.reader, self.spec, self.environment = reader, spec, environment
        self.identity = identity
        self.clock: Mapping[str, Mapping[int, ClockReading]] = record.clock
        self.winners: Mapping[str, Sequence[FrozenEntry]] = record.winners
        self.looks_shown = record.looks_at_these
        self.notes = record.notes
        self.importances = record.importances
        recorded = {run.run_id: run for run in reader.runs()}
        self.runs = run_table(record.runs, recorded)
        self.closing = closing_names(record.runs, recorded)
        self.trials = trial_table(record.trials)

    # Parsing a spec imports the user's own parts where they are there, which a table of numbers
    # does without.
    @cached_property
    def study(self) -> Study:
        """The study as a spec; parts of the user's own that can't be imported here are names."""
        return read_stored(self.spec)

    @cached_property
    def declared(self) -> Declared:
        """What is declared of the study's metrics, and how small its losses can be."""
        return with_bounds(self.study, self.arms)

    @cached_property
    def arms(self) -> tuple[Arm, ...]:
        """The study's arms, which take a while to build."""
        return build_arms(self.study)

    @cached_property
    def confirmed(self) -> pd.DataFrame:
        """The runs of the confirm stage."""
        return self.runs[self.runs["stage"] == "confirm"]

    @cached_property
    def by_arm(self) -> dict[str, pd.DataFrame]:
        """The runs of the confirm stage by arm, each indexed by seed.

        The seeds rise, so that the rows of two arms with the same seeds are paired.
        """
        return {
            str(arm): rows.set_index("seed").sort_index()
            for arm, rows in self.confirmed.groupby("arm", sort=False)
        }

    @cached_property
    def look(self) -> Look:
        """All runs of the confirm stage: every search with every seed that any arm ran with in any
        of them."""
        places = {(int(k), int(s)) for k, s in self.confirmed[["search", "seed"]].to_numpy()}
        searches = tuple(sorted({search for search, _ in places}))
        # the same numbers within each search's block of seeds; a search may lack some
        blocks = {k: min(s for own, s in places if own == k) // BLOCK * BLOCK for k in searches}
        within = sorted({seed - blocks[search] for search, seed in places})
        return Look(searches, tuple(tuple(blocks[k] + seed for seed in within) for k in searches))

    @property
    def searched(self) -> pd.DataFrame:
        """The runs of the search stage."""
        return self.runs[self.runs["stage"] == "search"]

    @cached_property
    def confirmed_curves(self) -> pd.DataFrame:
        """The curves of the confirm stage, with seconds where the clock has been read.

        seconds = steps × seconds of one update alone: runs that trained in different company are
        compared by one clock. NaN for a recipe without a reading.
        """
        curves = self.curves_of(self.confirmed)
        pace = {
            (arm, search): reading.seconds
            for arm, readings in self.clock.items()
            for search, reading in readings.items()
        }
        recipes = zip(curves["arm"], curves["search"], strict=True)
        seconds = curves["step"] * [pace.get(recipe, np.nan) for recipe in recipes]
        curves["seconds"] = seconds.fillna(self._wall_times(curves))
        return curves

    def _wall_times(self, curves: pd.DataFrame) -> pd.Series:
        """Return the seconds of each point by its own run's time; NaN but for trainers of a user's
        own, whose updates can't be timed apart."""
        own = {
            arm for arm, frozen in self.winners.items() if frozen and "trainer" in frozen[0].recipe
        }
        costs = self.confirmed.reindex(columns=["run_id", "cost/seconds", "cost/steps"])
        costs = costs.drop_duplicates("run_id")  # equal arms share their runs
        a_step = (costs["cost/seconds"] / costs["cost/steps"]).set_axis(costs["run_id"])
        return (curves["step"] * curves["run_id"].map(a_step)).where(curves["arm"].isin(own))

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The curves of all runs: of a study with a search far more than :attr:`confirmed_curves`,
        and slower to read."""
        return self.curves_of(self.runs)

    def curves_of(self, runs: pd.DataFrame, metrics: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the curves of some rows of ``runs``.

        Args:
            runs: rows of :attr:`runs`.
            metrics: the metrics wanted; all by default.

        Returns:
            One row a run and step, as :attr:`curves` has them; NaN where a metric was not measured
            at the step. Without any points an empty table of the columns that all have.
        """
        wanted = [*metrics, "epoch", "samples"] if metrics else None
        by_run = self.reader.curves(runs["run_id"], wanted)
        if not any(by_run.values()):
            return pd.DataFrame(columns=[*PLACE, "step", "epoch", "samples"])
        curves = curve_table(by_run)
        for position in ("epoch", "samples"):
            if position not in curves:  # runs that were trained elsewhere may not know it
                curves[position] = np.nan
        # of a run that has epochs, a point without one has no place on the axes
        has_epoch = curves["epoch"].notna()
        kept = curves[has_epoch | ~has_epoch.groupby(curves["run_id"]).transform("any")]
        return runs[list(PLACE)].merge(kept, on="run_id", how="inner")

    def link(self, run_id: str) -> str:
        """Return where MLflow's UI shows a run: on the tracking server, or where ``harness ui``
        serves it."""
        return self.reader.run_url(run_id)

    @property
    def figures(self) -> Any:  # of a class in a room above, which type checkers can't be told here
        """The report's figures as Plotly figures, such as ``results.figures.loss_curves()``."""
        # by its registered name, since figures lie in a room above
        return load_entry("results.figures")(self)

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the ranking with intervals, and the verdicts."""
        return str(load_entry("results.html")(self))

    def verdicts(self) -> Any:  # of a class in a module above, as are the figures
        """Return a verdict on each claim, as ``harness verdicts`` and the report show them."""
        return load_entry("results.verdicts")(self)

    def report(self, path: str | Path = "reports") -> Path:
        """Write the study's report and return its file.

        Args:
            path: an HTML file, or a folder, which gets an index of its reports too.
        """
        return load_entry("results.report")(self, Path(path))  # type: ignore[return-value]

    def arrays(self, arm: str) -> dict[str, np.ndarray]:
        """Return the arrays that probes measured last, by name: (seeds, …), one a confirm run.

        Args:
            arm: name of the arm.

        Returns:
            The arrays that all of the arm's runs have, such as ``confusion/matrix``, seeds rising;
            runs that diverged or failed are left out. Empty where none measured any.
        """
        runs = self.by_arm[known_arm(arm, self.by_arm)]
        having = runs[runs["arrays"] & ~runs["status"].isin(["diverged", "failed"])]
        by_seed = [self.reader.arrays(str(run_id)) for run_id in having["run_id"]]
        if not by_seed:
            return {}
        shared = [name for name in by_seed[0] if all(name in arrays for arrays in by_seed)]
        return {name: np.array([arrays[name] for arrays in by_seed]) for name in shared}

    def weights(self, arm: str, seed: int, search: int = 0) -> dict[str, np.ndarray]:
        """Return the weights that a confirm run kept (``Study.keep``).

        Args:
            arm: name of the arm.
            seed: of the run, as in :attr:`runs`, or its number within the search's block.
            search: the search that froze its recipe.

        Returns:
            Parameters and running statistics by the network's own names.

        Raises:
            HarnessError: there is no such run, or it kept none.
        """
        known_arm(arm, self.by_arm)
        rows = self.confirmed[(self.confirmed["arm"] == arm) & (self.confirmed["search"] == search)]
        asked = rows[(rows["seed"] == seed) | (rows["seed"] % BLOCK == seed)]
        run = f"arm {arm!r}, search {search}, seed {seed}"
        if asked.empty:
            seeds = ", ".join(map(str, rows["seed"])) or "none"
            raise HarnessError(f"no run of {run}; seeds of this arm and search: {seeds}")
        (run_id,) = asked["run_id"]
        recorded = next(own for own in self.reader.runs() if own.run_id == run_id)
        if not recorded.kept:
            raise HarnessError(
                f"the run of {run} ({recorded.status}) kept no weights; set keep to 'best' or "
                "'last' in the study and run it again, which trains such runs again"
            )
        return self.reader.weights(run_id)

    def model(self, arm: str, seed: int, search: int = 0) -> Any:  # a module of torch's
        """Return a run's network as a ``torch.nn.Module`` with the weights that it kept.

        A user's own module is an instance of its class. It takes inputs as the run's data are
        prepared: ``load_data(recipe.data).valid.x``.

        Args:
            arm: name of the arm.
            seed: as for :meth:`weights`.
            search: the search that froze its recipe.

        Raises:
            HarnessError: there is no such run, or it kept no weights.
        """
        frozen = next(
            own for own in self.winners[known_arm(arm, self.winners)] if own.search == search
        )
        return load_entry("results.model")(frozen.recipe, self.weights(arm, seed, search))
