"""Members are evaluated where their optimizer means them to be: an average, of which training knows nothing."""

import pytest
import torch

import harness as h
from harness.core.errors import HarnessError
from harness.engine.cohort import evaluated_of, start
from harness.engine.evaluate import evaluate, evaluate_members
from harness.engine.hyperparameters import stack_hyperparameters
from harness.engine.leaving import drop
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.engine.test_set import Permit
from harness.protocol.train import train, train_outcomes
from harness.spec.arms import Run
from harness.spec.resolved import resolve

BASE = h.Recipe(
    data={"name": "digits", "train_size": 200},
    model=h.MLP(widths=(12, 7), activation="tanh"),
    optimizer=h.ScheduleFreeSGD(lr=0.5),
    batch_size=32,
    steps=40,
    eval_every=10,
    dtype="float64",
)
LIBRARY = {"name": "pytorch_optimizer.ScheduleFreeSGD", "lr": 0.5}
ASGD = {"name": "torch.optim.ASGD", "lr": 0.5, "t0": 0, "lambd": 0.0, "alpha": 0.0}
METRICS = ("train/loss", "valid/loss", "valid/accuracy")


def curve(outcome, metric="valid/loss"):
    return [p.metrics[metric] for p in outcome.points if metric in p.metrics]


def test_the_engine_s_own_and_the_library_s_are_evaluated_alike():
    (own,) = train_outcomes(BASE, [0], test=True)
    (library,) = train_outcomes(BASE.with_values({"optimizer": LIBRARY}), [0], test=True)
    for metric in (*METRICS, "batch/loss"):
        assert curve(library, metric) == pytest.approx(curve(own, metric), rel=1e-9)
    for metric in ("test/loss", "test/accuracy", "valid/loss"):
        assert library.summary[metric] == pytest.approx(own.summary[metric], rel=1e-9)


def averaged_by_hand(recipe, seed=0):
    """Return the losses on validation data at the mean of the weights after each update but the first."""
    every = recipe.with_values(
        {"optimizer": {"name": "torch.optim.SGD", "lr": 0.5}, "eval_every": 1}
    )
    cohort, program = start([Run.of(every, seed)], test=False), program_of(resolve(every))
    total, losses = 0.0, []
    for step in range(1, recipe.steps + 1):
        advance(cohort, step)
        if not cohort.members:
            break
        total = total + cohort.w_KP * (step > 1)
        measured = evaluate_members(
            program, total / max(1, step - 1), cohort.buffers, [resolve(every)]
        )
        losses.append(measured["valid/loss"][0])
    return losses


def test_asgd_is_evaluated_at_the_mean_of_its_weights():
    """With t0 = 0 and a constant rate torch counts from the second update on: ``ax`` is θ₂ after it, then the mean."""
    (outcome,) = train_outcomes(BASE.with_values({"optimizer": ASGD}), [0])
    by_hand = averaged_by_hand(BASE)
    assert curve(outcome)[1:4] == pytest.approx([by_hand[s - 1] for s in (10, 20, 30)], rel=1e-7)
    (plain,) = train_outcomes(
        BASE.with_values({"optimizer": "torch.optim.SGD", "optimizer.lr": 0.5}), [0]
    )
    assert curve(plain)[1] != pytest.approx(curve(outcome)[1], rel=1e-3)


@pytest.mark.parametrize("optimizer", [h.ScheduleFreeSGD(lr=0.5).dump(), LIBRARY, ASGD], ids=str)
def test_evaluations_do_not_change_the_training(optimizer):
    recipe = BASE.with_values({"optimizer": optimizer})
    seldom, often = (
        train_outcomes(recipe.with_values({"eval_every": every}), [0], test=True)[0]
        for every in (40, 1)
    )
    assert seldom.summary["test/loss"] == often.summary["test/loss"]
    assert curve(seldom)[-1] == curve(often)[-1]


@pytest.mark.parametrize(
    "optimizer", [h.ScheduleFreeSGD(lr=2.0).dump(), LIBRARY | {"lr": 2.0}], ids=str
)
def test_early_stopping_keeps_the_weights_that_were_evaluated(optimizer):
    recipe = BASE.with_values(
        {"optimizer": optimizer, "regularizers": [h.EarlyStopping(patience=2)], "steps": 400}
    )
    (outcome,) = train_outcomes(recipe, [0])
    assert outcome.status == "stopped"
    assert outcome.summary["valid/loss"] == pytest.approx(min(curve(outcome)), rel=1e-12)


@pytest.mark.parametrize("optimizer", [h.ScheduleFreeSGD(lr=0.5).dump(), LIBRARY], ids=str)
def test_test_data_are_evaluated_at_the_average(optimizer):
    recipe = resolve(BASE.with_values({"optimizer": optimizer}))
    cohort, program = advance(start([Run.of(recipe, 0)], test=True), 20), program_of(recipe)
    average_KP, trained_KP = evaluated_of(program, cohort), cohort.w_KP.clone()
    drop(cohort, [0], "pruned")
    hyper = stack_hyperparameters([recipe], program.device, program.dtype)
    samples = program.test.open(Permit(True), [0])
    expected, other = (
        float(evaluate(program, w_KP, {}, hyper, samples)["loss"])
        for w_KP in (average_KP, trained_KP)
    )
    assert cohort.outcomes[0].summary["test/loss"] == pytest.approx(expected, rel=1e-12)
    assert other != pytest.approx(expected, rel=1e-3)


def test_several_optimizers_in_a_cohort_have_each_their_own_point():
    optimizers = [h.SGD(lr=0.5), h.ScheduleFreeSGD(lr=0.5), h.ScheduleFreeAdamW(lr=0.01)]
    runs = [Run.of(BASE.with_values({"optimizer": o.dump()}), 0) for o in optimizers]
    cohort, program = advance(start(runs, test=False), 20), program_of(runs[0].recipe)
    evaluated_KP = evaluated_of(program, cohort)
    assert torch.equal(evaluated_KP[0], cohort.w_KP[0])
    assert all((evaluated_KP[row] != cohort.w_KP[row]).any() for row in (1, 2))
    advance(cohort)
    for index, run in enumerate(runs):
        alone = advance(start([run], test=False)).outcomes[0]
        assert curve(cohort.outcomes[index]) == pytest.approx(curve(alone), abs=1e-10)


@pytest.mark.parametrize("optimizer", [h.ScheduleFreeSGD(lr=0.5).dump(), LIBRARY], ids=str)
def test_probes_on_held_out_samples_look_where_evaluations_do(optimizer):
    recipe = BASE.with_values({"optimizer": optimizer})
    trained = train(recipe, probes=[{"name": "GeneralizationGap", "every": 10, "unit": "steps"}])
    curves = trained.curves.set_index("step")
    at = curves.loc[[10, 20, 30]]
    gap = (at["valid/loss"] - at["train/loss"]).tolist()
    assert at["generalization/loss"].tolist() == pytest.approx(gap, rel=1e-9)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"regularizers": [h.MaxNorm(limit=1.0)]}, "constraint of MaxNorm does not hold"),
    ],
)
def test_what_does_not_hold_at_an_average_is_refused(fields, said):
    with pytest.raises(HarnessError, match=said):
        program_of(resolve(BASE.with_values(fields)))
    program_of(resolve(BASE.with_values(fields | {"optimizer": h.SGD(lr=0.1)})))
