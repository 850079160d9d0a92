"""Averages of the weights: torch's numbers, evaluated and tested there, unknown to training."""

import pytest
import torch
from torch.optim import swa_utils

import harness as h
from harness.core.errors import HarnessError
from harness.engine.cohort import evaluated_of, start
from harness.engine.evaluate import evaluate_members
from harness.engine.leaving import drop
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.protocol.check import check_study
from harness.protocol.train import train, train_outcomes
from harness.spec.arms import Run
from harness.spec.keys import shape_key
from harness.spec.resolved import resolve

BASE = h.Recipe(
    data={"name": "digits", "train_size": 200},
    model=h.MLP(widths=(12, 7), activation="tanh"),
    optimizer=h.SGD(lr=0.5, momentum=0.9),
    batch_size=32,
    steps=30,
    eval_every=1,
    dtype="float64",
)


class Row(torch.nn.Module):
    """A member's row of weights, as torch averages it."""

    def __init__(self, w_KP):
        super().__init__()
        self.w_KP = torch.nn.Parameter(w_KP.clone())


def averaged(average):
    return BASE.with_values({"average": average.dump()})


def trained_step_by_step(recipe, seeds=(0,)):
    """Yield the cohort after every update but the last."""
    cohort = start([Run.of(recipe, seed) for seed in seeds], test=False)
    for step in range(1, recipe.steps):
        yield step, advance(cohort, step)


def assert_is_torch_s(recipe, averages, takes):
    twin = None
    for step, cohort in trained_step_by_step(recipe):
        row = Row(cohort.w_KP)
        if takes(step):
            twin = averages(row) if twin is None else twin
            twin.update_parameters(row)
        expected_KP = row.w_KP if twin is None else twin.module.w_KP
        torch.testing.assert_close(cohort.average_KP, expected_KP.detach(), rtol=1e-12, atol=1e-12)
    assert twin is not None and not torch.allclose(cohort.average_KP, cohort.w_KP)


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_ema_is_torch_s(decay):
    assert_is_torch_s(
        averaged(h.EMA(decay=decay)),
        lambda row: swa_utils.AveragedModel(
            row, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(decay)
        ),
        lambda step: True,
    )


def test_ema_starts_where_it_is_told():
    assert_is_torch_s(
        averaged(h.EMA(decay=0.9, start="1.5 epochs")),
        lambda row: swa_utils.AveragedModel(row, multi_avg_fn=swa_utils.get_ema_multi_avg_fn(0.9)),
        # epochs of 7 updates: 10.5 are rounded to 10
        lambda step: step >= 10,
    )


@pytest.mark.parametrize("every", [1, 7])
def test_swa_is_torch_s(every):
    assert_is_torch_s(
        averaged(h.SWA(start=0.3, every=f"{every} steps")),
        swa_utils.AveragedModel,
        lambda step: step >= 9 and (step - 9) % every == 0,
    )


@pytest.mark.parametrize("average", [h.EMA(decay=0.8), h.SWA(start=0.3, every="3 steps")], ids=str)
def test_runs_are_evaluated_at_the_average_and_training_knows_nothing_of_it(average):
    recipe = averaged(average)
    (outcome,), (plain,) = (train_outcomes(r, [0], test=True) for r in (recipe, BASE))
    assert outcome.series("batch/loss") == plain.series("batch/loss")
    program, losses = program_of(resolve(recipe)), outcome.series("valid/loss")
    for step, cohort in trained_step_by_step(recipe):
        at_KP = cohort.average_KP
        assert evaluated_of(program, cohort) is at_KP
        measured = evaluate_members(program, at_KP, {}, [resolve(recipe)])
        assert losses[step] == pytest.approx(measured["valid/loss"][0], rel=1e-12)
    assert losses[-1] != pytest.approx(plain.series("valid/loss")[-1], rel=1e-6)
    assert outcome.summary["test/loss"] != pytest.approx(plain.summary["test/loss"], rel=1e-6)
    (seldom,) = train_outcomes(recipe.with_values({"eval_every": 30}), [0], test=True)
    assert seldom.summary["test/loss"] == outcome.summary["test/loss"]


def test_members_of_other_decays_share_a_cohort_and_equal_themselves_alone():
    fields = [{"average.decay": 0.5}, {"optimizer.lr": 0.1}, {"average.decay": 0.99}]
    runs = [Run.of(averaged(h.EMA(start=0.2)).with_values(own), 0) for own in fields]
    assert len({shape_key(run.recipe) for run in runs}) == 1
    cohort = advance(start(runs, test=True), 15)
    # rows are taken out of the average
    drop(cohort, [1], "pruned")
    together = advance(cohort).outcomes
    for index in (0, 2):
        alone = advance(start([runs[index]], test=True)).outcomes[0]
        for metric in ("valid/loss", "batch/loss"):
            assert together[index].series(metric) == pytest.approx(alone.series(metric), abs=1e-12)
    assert together[0].series("valid/loss")[-1] != together[2].series("valid/loss")[-1]


def test_other_libraries_optimizers_are_averaged_too():
    recipe = averaged(h.EMA(decay=0.9))
    library = {"name": "torch.optim.SGD", "lr": 0.5, "momentum": 0.9}
    (own,) = train_outcomes(recipe, [0])
    (theirs,) = train_outcomes(recipe.with_values({"optimizer": library}), [0])
    assert theirs.series("valid/loss") == pytest.approx(own.series("valid/loss"), rel=1e-9)


def test_early_stopping_keeps_the_average():
    recipe = averaged(h.EMA(decay=0.5)).with_values(
        {"regularizers": [h.EarlyStopping(patience=2)], "optimizer.lr": 3.0, "steps": 400}
    )
    (outcome,) = train_outcomes(recipe, [0])
    assert outcome.status == "stopped"
    best = min(outcome.series("valid/loss"))
    assert outcome.summary["valid/loss"] == pytest.approx(best, rel=1e-12)


def test_probes_on_held_out_samples_look_at_the_average():
    recipe = averaged(h.EMA(decay=0.9))
    trained = train(recipe, probes=[{"name": "GeneralizationGap", "every": 10, "unit": "steps"}])
    curves = trained.curves.set_index("step").loc[[10, 20]]
    gap = (curves["valid/loss"] - curves["train/loss"]).tolist()
    assert curves["generalization/loss"].tolist() == pytest.approx(gap, rel=1e-9)


def test_an_average_is_searched_compared_and_left_out_of_the_plain_form():
    assert "average" not in BASE.dump() and "average" not in BASE.settings()
    recipe = averaged(h.EMA()).with_values({"average.decay": h.Uniform(0.9, 0.99)})
    assert recipe.spaces() == {"average.decay": h.Uniform(0.9, 0.99)}
    assert resolve(recipe.with_values({"average.decay": 0.95})).numbers()["average.decay"] == 0.95
    assert h.Recipe.model_validate(recipe.dump()) == recipe
    compare = {"average": {"none": None, "EMA": "ema", "SWA": h.SWA(start="1 epoch")}}
    check_study(h.Study(name="averages", question="?", recipe=BASE, compare=compare))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"regularizers": [h.MaxNorm(limit=1.0)]}, "constraint of MaxNorm does not hold"),
        ({"optimizer": h.ScheduleFreeSGD(lr=0.5)}, "which averages them by itself"),
        ({"optimizer": {"name": "torch.optim.ASGD"}}, "which averages them by itself"),
        ({"average": h.SWA(start="9 epochs")}, "start within the run's 30 updates, got .* 63"),
        ({"average": h.EMA(start="10 tokens")}, "recipe.average: EMA: start: .* no sequences"),
    ],
)
def test_what_can_t_be_averaged_is_refused_by_the_plan(fields, said):
    study = h.Study(name="no", question="?", recipe=averaged(h.EMA()).with_values(fields))
    with pytest.raises(HarnessError, match=said):
        check_study(study)
