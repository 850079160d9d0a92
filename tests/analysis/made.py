"""Results of a study that was never run: tables from numbers given by hand."""

from __future__ import annotations

import harness as h
from harness.analysis.results import Results
from harness.core.study_record import StudyRecord
from harness.spec.arms import build_arms
from harness.spec.looks import seed_in_block
from harness.tracking import TrainingRun


class FakeReader:
    """Gives the runs and curves that it was made of."""

    def __init__(self, runs, curves):
        self._runs, self._curves = runs, curves

    def runs(self):
        return self._runs

    def curves(self, run_ids, metrics=None):
        return {
            i: {n: c for n, c in self._curves.get(i, {}).items() if not metrics or n in metrics}
            for i in run_ids
        }


def study(**fields):
    base = {
        "name": "made",
        "recipe": h.Recipe(
            data="digits", model=h.MLP(widths=(4,)), epochs=1, optimizer=h.SGD(lr=0.1)
        ),
        "compare": {"optimizer": {"A": h.SGD(lr=0.1), "B": h.SGD(lr=0.2), "C": h.SGD(lr=0.3)}},
        "seeds": 10,
    }
    return h.Study(**base | fields)


def recorded_run(run_id, arm, seed, status, closing):
    return TrainingRun(
        run_id=run_id,
        name=run_id,
        key=run_id,
        arm=arm,
        stage="confirm",
        trial=0,
        seed=seed,
        status=status,
        whole=True,
        detail="",
        engine="",
        params={},
        closing=closing,
        has_arrays=False,
        curves_at=None,
    )


def results(
    spec, values, curves=None, statuses=None, trials=(), clock=None, search_runs=(), winners=None
):
    """Return results whose confirm runs have the given closing values.

    Args:
        spec: the study.
        values: ``{arm: {metric: [one number a seed]}}``; of several searches one search after the
            other, as many seeds as the study has.
        curves: ``{arm: {metric: [[one number an epoch] a seed]}}``.
        statuses: ``{(arm, number of the run): status}``; finished by default.
        trials: rows of the index's trials.
        clock: reading by arm.
        search_runs: rows of the index's runs, of the search stage.
        winners: recipes by arm, where they are not the arms' own.
    """
    runs, recorded, series = list(search_runs), [], {}
    several, (_, seeds) = len(spec.looks[-1].searches) > 1, spec.looks[-1].shape
    for arm in build_arms(spec):
        mine = values[arm.name]
        for number in range(len(next(iter(mine.values())))):
            run_id = f"{arm.name}-{number}"
            search, seed = divmod(number, seeds) if several else (0, number)
            seed = seed_in_block(0, search, seed)
            status = (statuses or {}).get((arm.name, number), "finished")
            runs.append(
                {
                    "run_id": run_id,
                    "key": run_id,
                    "arm": arm.name,
                    "stage": "confirm",
                    "trial": 0,
                    "seed": seed,
                    "status": status,
                    "search": search,
                }
            )
            closing = {metric: numbers[number] for metric, numbers in mine.items()}
            recorded.append(recorded_run(run_id, arm.name, seed, status, closing))
            own = {
                n: list(enumerate(v[number])) for n, v in (curves or {}).get(arm.name, {}).items()
            }
            length = max(map(len, own.values()), default=0)
            series[run_id] = own | {
                "epoch": [(i, i) for i in range(length)],
                "samples": [(i, 10 * i) for i in range(length)],
            }
    frozen = {
        a.name: {
            "trial": 0,
            "levels": a.levels,
            "recipe": (winners or {}).get(a.name, a.recipe).dump(),
            "path": {"batched": True, "why": ""},
        }
        for a in build_arms(spec)
    }
    index = {
        "runs": runs,
        "trials": list(trials),
        "winners": frozen,
        "importances": {},
        "clock": {arm: {"of": "", **reading} for arm, reading in (clock or {}).items()},
    }
    record = StudyRecord.from_plain(index)
    return Results(FakeReader(recorded, series), spec.dump(), record, {})


SPACES = {"A": h.SGD(lr=h.LogUniform(1e-3, 1.0)), "B": h.SGD(lr=h.LogUniform(1e-3, 1.0))}
VALUES = {n: {"test/loss": [1.0, 1.1, 0.9, 1.0], "valid/loss": [1.0, 1.1, 0.9, 1.0]} for n in "AB"}
CLOCK = {n: {"seconds": 0.01, "spread": 1.05, "load": 0.0} for n in "AB"}


def trials(counts, better="B", status="finished"):
    """Return the trials of a search, ``counts`` of each arm."""
    return [
        {
            "arm": arm,
            "trial": i,
            "status": status,
            "value": 1.0 + (0.1 if arm != better else 0.0) + 0.01 * (count - i),
            "values": {},
        }
        for arm, count in counts.items()
        for i in range(count)
    ]


def tuned(lr_a=0.05, lr_b=0.05, counts=None, **more):
    """Return results of a study with two tuned arms, A and B, in which an audit finds nothing."""
    fields = {"compare": {"optimizer": SPACES}, "search": h.Search(trials=4), "seeds": 4}
    spec = study(**fields | more.pop("spec", {}))
    winners = {
        "A": spec.recipe.with_values({"optimizer.lr": lr_a}),
        "B": spec.recipe.with_values({"optimizer.lr": lr_b}),
    }
    more = {"clock": CLOCK, "trials": trials(counts or {"A": 4, "B": 4})} | more
    return results(spec, more.pop("values", VALUES), winners=winners, **more)
