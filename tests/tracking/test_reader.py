"""Reading studies, in both forms of a store."""

from __future__ import annotations

import pytest
from mlflow.tracking import MlflowClient

import harness as h
from harness import results
from harness.core.errors import NoStudyError, StoreError
from harness.core.study_record import StudyRecord
from harness.protocol.run import Options, run_study
from harness.tracking import Reader, list_studies, load_run
from harness.tracking.rows import POINTS_SHOWN
from harness.tracking.run_ends import read_run_ends
from tests.studies import small
from tests.tracking.made import opened, record, recorded


def test_long_curves_are_kept_whole(form, folder):
    recipe = h.Recipe(
        data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), steps=400, eval_every=1
    )
    study = small(recipe=recipe, compare={}, search=None, claims=(), seeds=1)
    run_study(study, Options(workers=0))
    curves = results.load("small").curves
    assert list(curves["step"]) == list(range(401))
    assert curves["train/loss"].notna().all()
    (run,) = Reader.of("small").runs()
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    shown = client.get_metric_history(run.run_id, "train/loss")
    assert len(shown) == POINTS_SHOWN + 1 and {p.step for p in shown} >= {0, 400}


def test_studies_are_listed_and_other_experiments_are_not(form):
    assert list_studies() == []
    for name in ("b", "a"):
        opened(name)
    MlflowClient().create_experiment("of another program")
    assert list_studies() == ["a", "b"]


def test_the_ends_of_runs_are_those_that_the_reader_sees(form):
    """In both forms of a store: an SQLite file of known tables is read without MLflow."""
    session, _ = opened("b")
    recorded(session, record(), record(1, "k1", "failed"), record(2, "k2", "diverged"))
    recorded(session, record(1, "k1"))  # it takes the failed one's place
    opened("a")
    MlflowClient().create_experiment("of another program")
    for name in ("a", "b"):
        reader = Reader.of(name)
        told = [(r.arm, r.stage, r.status, r.name, r.detail) for r in reader.runs()]
        ends = read_run_ends(study=name)[name]
        assert [tuple(end) for end in ends.runs] == told and not ends.complete
    assert sorted(end.status for end in ends.runs) == ["diverged", "finished", "finished"]
    assert list(read_run_ends()) == ["a", "b"]
    session.write_answer(StudyRecord([], [], {}, {}, {}), {}, "identity")
    assert read_run_ends(study="b")["b"].complete
    with pytest.raises(NoStudyError, match="no study 'nothing' in MLflow"):
        read_run_ends(study="nothing")


def test_a_run_is_found_by_its_id(form):
    session, _ = opened()
    recorded(session, record())
    (run,) = session.reader.runs()
    loaded = load_run(run.run_id)
    assert (loaded.study, loaded.run, loaded.spec) == ("s", run, {"name": "s"})
    assert [list(pair) for pair in loaded.curves["valid/loss"]] == [[0, 1.0], [4, 0.5]]
    with pytest.raises(StoreError, match=r"'nothing': not in MLflow at sqlite"):
        load_run("nothing")
    with pytest.raises(StoreError, match="expected a training run of the harness, got 'arm'"):
        load_run(session._parents.arms["arm"].run_id)


def test_a_reader_makes_nothing(folder):
    with pytest.raises(NoStudyError, match="no study 'nothing' in MLflow"):
        Reader.of("nothing")
    elsewhere = folder / "elsewhere.db"
    with pytest.raises(NoStudyError, match="no MLflow store at"):
        Reader.of("nothing", f"sqlite:///{elsewhere}")
    assert not elsewhere.exists()


def test_a_study_that_has_not_begun_has_no_spec(folder):
    MlflowClient().create_experiment("empty")
    with pytest.raises(StoreError, match="has not begun"):
        Reader.of("empty").spec()


def test_metrics_that_were_renamed_are_read_by_today_s_names(form):
    old, new = "curvature/edge", "curvature/stability_threshold"
    point = record().outcome.points[0]
    session, _ = opened()
    recorded(session, record(points=(point._replace(metrics={old: 2.0}),), **{old: 3.0}))
    with pytest.warns(FutureWarning, match="is now called"):
        (run,) = session.reader.runs()
    assert run.closing[new] == 3.0
    with pytest.warns(FutureWarning, match="is now called"):
        curves = session.reader.curves([run.run_id], [new])[run.run_id]
    assert [list(pair) for pair in curves[new]] == [[0, 2.0]]
