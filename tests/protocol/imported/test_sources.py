"""The same runs out of MLflow and out of what Weights & Biases exports."""

import json

import pandas as pd
import pytest
from mlflow.tracking import MlflowClient

import harness as h
from harness.analysis.audit import audit
from harness.core.errors import SpecError
from tests.protocol.imported.tables import curves

ARMS = {"SGD": 0.5, "Adam": 0.4}


@pytest.fixture
def table():
    return curves(seeds=3, arms=ARMS, steps=range(0, 30, 10))


def runs_of(table):
    return table.groupby(["optimizer", "seed"], sort=False)


def closings(results):
    """Return the closing values by arm and seed."""
    wanted = ["arm", "seed", "valid/loss", "train/loss"]
    return results.runs[wanted].sort_values(["arm", "seed"]).reset_index(drop=True)


def same(results, table, name):
    """Hold that results are those of the table."""
    own = h.Study.from_frame(table, name=f"{name} of a table", arm="optimizer")
    pd.testing.assert_frame_equal(closings(results), closings(own))
    columns = ["arm", "seed", "step", "valid/loss", "train/loss"]
    one, other = (
        made.curves[columns].sort_values(["arm", "seed", "step"]).reset_index(drop=True)
        for made in (results, own)
    )
    pd.testing.assert_frame_equal(one, other)


def log(client, experiment, arm, seed, rows, status="FINISHED"):
    run = client.create_run(experiment).info.run_id
    client.log_param(run, "optimizer", arm)
    client.log_param(run, "seed", seed)
    for row in rows:
        for name in ("val_loss", "train_loss"):
            client.log_metric(run, name, row[name], step=int(row["step"]))
    if status is not None:
        client.set_terminated(run, status)


def test_an_experiment_of_mlflow_is_judged_and_stays_as_it_is(folder, table):
    client = MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.create_experiment("theirs")
    for (arm, seed), rows in runs_of(table):
        log(client, experiment, arm, seed, rows.to_dict("records"))
    same(h.Study.from_mlflow("theirs"), table, "mlflow")
    assert len(client.search_runs([experiment])) == 6

    log(client, experiment, "SGD", 3, [], status="FAILED")
    log(client, experiment, "SGD", 4, [], status=None)
    client.set_terminated(client.create_run(experiment).info.run_id)
    results = h.Study.from_mlflow("theirs", name="worse")
    assert list(results.by_arm["SGD"]["status"]) == ["finished"] * 3 + ["diverged"]
    notes = " ".join(finding.text for finding in audit(results))
    for said in ("1 runs that had not ended", "1 runs without params", "1 runs that failed"):
        assert said in notes
    with pytest.raises(SpecError, match=r"no run of 'theirs' has 'params.opt'.*params.optimizer"):
        h.Study.from_mlflow("theirs", arm="params.opt")
    with pytest.raises(SpecError, match=r"metrics: no run of 'theirs' has 'val_los'.*'val_loss'"):
        h.Study.from_mlflow("theirs", metrics=["val_los"])
    with pytest.raises(SpecError, match="from_mlflow: unknown option 'sed': did you mean 'seed'"):
        h.Study.from_mlflow("theirs", sed="params.seed")
    with pytest.raises(SpecError, match="no experiment 'other'"):
        h.Study.from_mlflow("other")
    with pytest.raises(SpecError, match="give another name"):
        h.Study.from_mlflow("theirs", name="theirs")


def test_a_chart_of_wandb(folder, table):
    parts = []
    for (arm, seed), rows in runs_of(table):
        for name in ("val_loss", "train_loss"):
            label = f"{arm}-seed{seed} - {name}"
            own = rows.set_index("step")[name].rename(label)
            parts += [own, own.rename(f"{label}__MIN"), own.rename(f"{label}__MAX")]
    pd.concat(parts, axis=1).rename_axis("Step").reset_index().to_csv("chart.csv", index=False)
    same(h.Study.from_wandb("chart.csv"), table, "chart")
    some = h.Study.from_wandb("chart.csv", name="some", metrics=["val_loss"])
    assert "valid/loss" in some.runs and "train/loss" not in some.runs
    with pytest.raises(SpecError, match="unknown metric 'val_los': did you mean 'val_loss'"):
        h.Study.from_wandb("chart.csv", metrics=["val_los"])
    with pytest.raises(SpecError, match="from_wandb: unknown option 'patern': did you mean"):
        h.Study.from_wandb("chart.csv", patern="x")
    with pytest.raises(SpecError, match="expected a name with arm and seed"):
        h.Study.from_wandb("chart.csv", pattern=r"(?P<arm>\w+)/(?P<seed>\d)")


def test_histories_of_wandb(folder, table):
    (folder / "runs").mkdir()
    for number, ((arm, seed), rows) in enumerate(runs_of(table)):
        history = rows.rename(columns={"step": "_step"}).assign(_runtime=1.0, _timestamp=2.0)
        history = history.drop(columns=["optimizer", "seed"])
        path = folder / "runs" / f"{arm}_{seed}"
        if number % 2:
            history.to_parquet(path.with_suffix(".parquet"))
        else:
            path.with_suffix(".json").write_text(json.dumps(history.to_dict("records")))
    same(h.Study.from_wandb("runs", name="histories"), table, "histories")


def test_the_table_of_runs_of_wandb(folder, table):
    last = runs_of(table).last().reset_index().drop(columns="step")
    last.assign(Name=[f"dashing-sun-{i}" for i in range(6)], State="finished", Runtime=3).to_csv(
        "runs.csv", index=False
    )
    results = h.Study.from_wandb("runs.csv", arm="optimizer", seed="seed", name="list")
    own = h.Study.from_frame(last, name="list of a table", arm="optimizer")
    pd.testing.assert_frame_equal(closings(results), closings(own))
    (folder / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SpecError, match="expected a chart"):
        h.Study.from_wandb("other.csv")
