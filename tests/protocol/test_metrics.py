"""A study tuned, judged and ranked by a metric of its own, read again in another process."""

import json
import os
import subprocess
import sys

import pytest

import harness as h
from harness import results
from harness.core.errors import SpecError
from harness.protocol.check import check_study, notes_of
from harness.protocol.objective import objective_at_end
from harness.protocol.run import Options, run_study
from harness.protocol.runs import RunResult
from harness.spec.metrics import tells_direction
from tests.studies import small

GIVEN = "tests.metrics.given."
WRONG = {"name": GIVEN + "both", "larger_is_better": {"wrong": False, "right": True}, "unit": "%"}

READ = """
import json
from harness import results
from harness.analysis.answer import answer_study
from harness.analysis.audit import audit
loaded = results.load("small")
answer = answer_study(loaded)
figures = loaded.figures
print(json.dumps({
    "metric": answer.metric, "maximize": answer.maximize,
    "ranking": [(place.arm, float(place.values.mean())) for place in answer.ranking],
    "claims": [tested.claim.maximize for tested in answer.claims],
    "axis": figures.curves("both/wrong").layout.yaxis.title.text,
    "tuned": figures.sensitivity().layout.yaxis.title.text,
    "undefined": [f.text for f in audit(loaded) if f.check == "metric not defined"],
}))
"""


def asked(**fields):
    metrics = ["f1", "top5", "auroc", WRONG, {"name": GIVEN + "never"}]
    base = {
        "recipe": small().recipe.with_values({"metrics": metrics, "epochs": 2}),
        "search": h.Search(trials=2, objective="valid/both/right"),
        "metric": "test/both/wrong",
        "claims": [
            h.Claim.better("Adam", than="SGD", on="test/both/wrong"),
            h.Claim.better("Adam", than="SGD", on="mean/valid/both/right"),
            h.Claim.better("Adam", than="SGD", on="gap/auroc"),
        ],
        "seeds": 4,
    }
    return small(**base | fields)


def test_a_metric_of_one_s_own_goes_all_the_way(folder):
    run_study(asked(), Options(workers=0))
    loaded = results.load("small")
    confirmed = loaded.confirmed
    assert confirmed["test/both/right"].tolist() == pytest.approx(
        confirmed["test/accuracy"].tolist()
    )
    for arm, own in loaded.trials.groupby("arm"):
        frozen = loaded.winners[arm][0].trial
        best = own.loc[own["value"].idxmax(), "trial"]
        assert frozen == best, "tuned upwards"
    here = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    read = subprocess.run(
        [sys.executable, "-c", READ], capture_output=True, text=True, check=True, env=here
    )
    told = json.loads(read.stdout)
    assert (told["metric"], told["maximize"]) == ("test/both/wrong", False)
    assert [mean for _, mean in told["ranking"]] == sorted(mean for _, mean in told["ranking"])
    assert told["claims"] == [False, True, False]
    assert (told["axis"], told["tuned"]) == ("both wrong (%)", "validation both right (%)")
    assert told["undefined"] == ["runs that ended well have no value: never in all of 8"]
    paired = {f.name for f in _curve_figures(loaded)}
    assert {"f1", "top5", "auroc", "both/wrong", "both/right"} <= paired
    assert not any(name.startswith(("train/", "valid/")) for name in paired)


def _curve_figures(loaded):
    from harness.report.figures.base import FigureContext
    from harness.report.figures.curves import CURVES_FIGURES

    return CURVES_FIGURES.figures(FigureContext.of(loaded))


def test_what_runs_do_not_record_is_refused():
    said = "claims.0.on: arm 'SGD' records .*test/f1.*got 'test/acuracy'; did you mean 'test/accur"
    with pytest.raises(SpecError, match=said):
        check_study(asked(claims=[h.Claim.better("Adam", than="SGD", on="test/acuracy")]))
    with pytest.raises(SpecError, match="search.objective: arm 'SGD' records"):
        check_study(asked(search=h.Search(trials=2, objective="valid/both/left",
                                          direction="maximize")))  # fmt: skip
    check_study(asked())


def test_what_a_trainer_does_not_record_is_refused():
    plain = h.Recipe(trainer="tests.trainers.loops.walk", steps=10, config={"lr": 0.1})
    trained = plain.with_values({"metrics": ["f1", "auroc"]})
    study = h.Study(name="own", recipe=trained, seeds=2)
    with pytest.raises(SpecError, match="got f1, auroc, which are measured where the harness"):
        check_study(study)
    logged = {"name": "Logged", "metric": "bleu", "larger_is_better": True}
    declared = h.Study(name="own", recipe=trained.with_values({"metrics": [logged]}), seeds=2)
    check_study(declared)
    assert not any("metric" in note for note in notes_of(declared))
    with pytest.raises(SpecError, match="metric: expected .* got 'test/bleu', .* Logged"):
        check_study(h.Study(name="own", recipe=plain, metric="test/bleu"))
    check_study(h.Study(name="own", recipe=declared.recipe, metric="test/bleu"))


def test_what_tells_which_values_are_better():
    told = ["test/f1", "valid/hinge_loss", "test/accuracy", "mean/valid/mcc", "gap/top5"]
    untold = ["test/bleu", "mean/valid/chrf", "gap/score"]
    assert [name for name in told + untold if tells_direction(name, {})] == told


@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_a_trial_whose_metric_ends_undefined_is_the_worst(direction):
    search = h.Search(objective="valid/auroc", direction=direction)
    closed = {"valid/loss": 1.0}
    curve = [(0, 0.7), (1, 0.8)]
    undefined = RunResult("key", "id", "finished", closed, curve)
    worst = float("-inf" if direction == "maximize" else "inf")
    assert objective_at_end(search, [undefined]) == worst
    defined = undefined._replace(closing=closed | {"valid/auroc": 0.8})
    assert objective_at_end(search, [defined]) == 0.8
