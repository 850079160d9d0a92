"""Metrics in training: recorded beside loss and accuracy, never changing what is trained."""

import math

import numpy as np
import pytest
import torch

import harness as h
from harness.core.errors import HarnessError
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.engine.metric_trial import metric_notes, try_metrics
from harness.engine.program import program_of
from harness.spec.arms import Run
from harness.spec.resolved import resolve

GIVEN = "tests.metrics.given."
ALL = [
    "f1", "precision", "recall", "auroc", "average_precision", "balanced_accuracy", "mcc", "top5",
    "perplexity", "bits_per_byte", "brier", GIVEN + "share_right", GIVEN + "both",
    {"name": GIVEN + "share_wrong", "arrays": "torch"},
]  # fmt: skip


def recipe(metrics=(), **fields):
    base = {
        "data": h.Digits(train_size=300),
        "model": h.MLP(widths=(8,)),
        "optimizer": h.SGD(lr=0.3),
        "batch_size": 50,
        "epochs": 2,
    }
    return h.Recipe(**base | fields, metrics=metrics)


def trained(recipe, seeds=(0,), test=True):
    cohort = advance(start([Run.of(recipe, seed) for seed in seeds], test=test))
    return [cohort.outcomes[row] for row in range(len(seeds))]


@pytest.mark.usefixtures("without_kernels")
def test_all_parts_are_measured_and_the_training_stays_the_same():
    (plain,), (measured,) = trained(recipe()), trained(recipe(ALL))
    for before, after in zip(plain.points, measured.points, strict=True):
        assert before.metrics.items() <= after.metrics.items()
        assert before.metrics["valid/loss"] == after.metrics["valid/loss"]
        for part in ("train", "valid"):
            own = {n.partition("/")[2]: v for n, v in after.metrics.items() if n.startswith(part)}
            assert own["share_right"] == pytest.approx(own["accuracy"])
            assert own["both/wrong"] == pytest.approx(own["share_wrong"])
            assert own["perplexity"] == pytest.approx(math.exp(own["loss"]), rel=1e-5)
            assert own["bits_per_byte"] == pytest.approx(own["loss"] / math.log(2), rel=1e-5)
    names = {name.partition("/")[2] for name in measured.summary if name.startswith("test/")}
    assert names == {"loss", "accuracy", *try_metrics(program_of(resolve(recipe(ALL))))}
    assert measured.summary["valid/f1"] == measured.points[-1].metrics["valid/f1"]
    (searched,) = trained(recipe(["f1"]), test=False)
    assert not any(name.startswith("test/") for name in searched.summary)


def test_a_member_has_the_metrics_of_its_run_alone():
    runs = [recipe(ALL).with_values({"data.split": split}) for split in (0, 3, 0)]
    cohort = advance(start([Run.of(r, seed) for seed, r in enumerate(runs)], test=True))
    for seed, own in enumerate(runs):
        (alone,) = trained(own, [seed])
        assert len(alone.summary) > 3 * len(ALL)
        for name, value in alone.summary.items():
            if not name.startswith("cost/seconds"):
                assert cohort.outcomes[seed].summary[name] == pytest.approx(value, rel=1e-6), name


def test_pieces_of_a_part_make_one_whole(monkeypatch):
    whole = trained(recipe(ALL))[0].summary
    monkeypatch.setattr("harness.engine.evaluate.CHUNK", 7)
    pieces = trained(recipe(ALL))[0].summary
    assert pieces.keys() == whole.keys()
    for name in (n for n in whole if not n.startswith("cost/seconds")):
        assert pieces[name] == pytest.approx(whole[name], rel=1e-6), name


def test_numbers_have_metrics_of_numbers():
    names = ["mae", "rmse", "r2", GIVEN + "largest_error"]
    (outcome,) = trained(recipe(names, data="diabetes", model=h.Linear()))
    assert outcome.summary["test/rmse"] ** 2 == pytest.approx(outcome.summary["test/loss"])
    assert 0 < outcome.summary["test/mae"] < outcome.summary["test/rmse"]
    assert outcome.summary["test/largest_error"] > outcome.summary["test/rmse"]
    with pytest.raises(
        HarnessError, match="f1 is for classification .it compares classes., got reg"
    ):
        program_of(resolve(recipe(["f1"], data="diabetes", model=h.Linear())))


@pytest.mark.parametrize(("data", "model"), [("tagged", "Tagger"), ("pictures", "Pixels")])
def test_tokens_and_pixels_are_samples_and_padding_is_none(data, model):
    metrics = ["f1", "mcc", "auroc", "perplexity", "brier", GIVEN + "share_right"]
    here = "tests.engine.given_tokens."
    own = recipe(metrics, data=here + data, model=here + model, batch_size=16, dtype="float64")
    program = program_of(resolve(own))
    assert len(try_metrics(program)) == 6 and not metric_notes(program)
    (outcome,) = trained(own)
    for part in ("train", "valid", "test"):
        known = {n.partition("/")[2]: v for n, v in outcome.summary.items() if n.startswith(part)}
        assert known["share_right"] == pytest.approx(known["accuracy"])
        assert known["perplexity"] == pytest.approx(math.exp(known["loss"]))
        assert set(known) == {"loss", "accuracy", *try_metrics(program)}


def test_all_numbers_of_a_sample_are_its_own():
    here, metrics = "tests.engine.given_tokens.", ["mae", "rmse", "r2", GIVEN + "largest_error"]
    parts = {"data": here + "depths", "model": here + "Pixels"}
    (outcome,) = trained(recipe(metrics, **parts, batch_size="full"))
    assert outcome.summary["valid/mae"] < outcome.summary["valid/rmse"]
    # the mean of roots is at most the root of the mean
    assert outcome.summary["valid/rmse"] ** 2 <= outcome.summary["valid/loss"] * (1 + 1e-6)
    assert outcome.summary["valid/rmse"] < outcome.summary["valid/largest_error"]


def test_what_is_not_defined_is_missing_and_no_divergence():
    metrics = [GIVEN + "sometimes", GIVEN + "never"]
    (outcome,) = trained(recipe(metrics, eval_every=1, epochs=4))
    assert outcome.status == "finished"
    seen = ["valid/sometimes" in point.metrics for point in outcome.points]
    assert seen[0] is False and seen[-1] is True
    assert outcome.summary["valid/sometimes"] > 1 / 3
    assert not any("never" in name for point in outcome.points for name in point.metrics)
    assert not any("never" in name for name in outcome.summary)


def test_a_metric_that_ends_undefined_has_no_last_value(monkeypatch):
    from harness.metrics.external import ExternalMetric

    calls = []

    def once(self, *given):
        calls.append(0)
        return {"sometimes": 0.5 if len(calls) <= 2 else math.nan}

    monkeypatch.setattr(ExternalMetric, "_call", once)
    (outcome,) = trained(recipe([GIVEN + "sometimes"]), test=False)
    assert outcome.points[0].metrics["valid/sometimes"] == 0.5
    assert "valid/sometimes" not in outcome.summary and "valid/loss" in outcome.summary


def test_early_stopping_watches_a_metric_in_its_direction():
    stopping = h.EarlyStopping(metric="valid/share", patience=2)
    fields = {"regularizers": [stopping], "epochs": 12, "optimizer": h.SGD(lr=0.1)}
    for more in (True, False):
        own = {"name": GIVEN + "share_right", "called": "share", "larger_is_better": more}
        (outcome,) = trained(recipe([own], **fields))
        curve = [point.metrics["valid/share"] for point in outcome.points]
        best = max(curve) if more else min(curve)
        assert outcome.summary["valid/share"] == best
        assert outcome.summary["best/step"] == outcome.points[curve.index(best)].step
        assert more or outcome.status == "stopped"


def test_early_stopping_by_what_is_never_defined_stops():
    own = {"name": GIVEN + "never", "larger_is_better": True}
    stopping = h.EarlyStopping(metric="valid/never", patience=2)
    (outcome,) = trained(recipe([own], regularizers=[stopping], epochs=9))
    assert (outcome.status, len(outcome.points)) == ("stopped", 2)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("per_sample", "expected a number of tests.metrics.given.per_sample, or numbers by name"),
        ("broken", "recipe.metrics: tests.metrics.given.broken fails: AttributeError"),
        ("share_wrong", "recipe.metrics: tests.metrics.given.share_wrong fails: AssertionError"),
    ],
)
def test_functions_that_fail_are_refused_before_anything_trains(name, said):
    with pytest.raises(HarnessError, match=said):
        try_metrics(program_of(resolve(recipe([GIVEN + name]))))


def test_the_plan_tells_what_may_not_be_defined(monkeypatch):
    few = h.Digits(train_size=300, valid_fraction=0.005)
    notes = metric_notes(program_of(resolve(recipe(["auroc", "f1"], data=few))))
    assert [note.partition(" may")[0] for note in notes] == ["auroc"]
    assert "valid part" in notes[0]
    monkeypatch.setattr("harness.engine.metric_trial.HUGE", 1)
    assert "GiB for each member" in metric_notes(program_of(resolve(recipe(["auroc"]))))[0]
    assert not metric_notes(program_of(resolve(recipe(["f1", "brier"]))))
    other = resolve(recipe(["f1", "brier", "perplexity"], loss="BCE"))
    (note,) = metric_notes(program_of(other))
    assert note.startswith("metrics brier, perplexity take softmax") and "loss BCE" in note


def test_a_diverged_run_is_one_with_metrics_too():
    (outcome,) = trained(recipe(ALL, optimizer=h.SGD(lr=1e30), epochs=3))
    assert outcome.status == "diverged"
    assert not any("f1" in name for name in outcome.summary)
    assert np.isfinite([v for point in outcome.points for v in point.metrics.values()]).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_metrics_are_the_same_on_a_gpu():
    on = [trained(recipe(ALL, device=device))[0].summary for device in ("cpu", "cuda")]
    assert on[0].keys() == on[1].keys()
    for name in (n for n in on[0] if n.startswith("test/")):
        assert on[1][name] == pytest.approx(on[0][name], abs=0.02), name
