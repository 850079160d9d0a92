"""A member of a cohort equals the same run alone, whatever the cohort's size and whoever else is in it."""

import pickle

import pytest

import harness as h
from harness.core.records import Outcome
from harness.engine.cohort import start
from harness.engine.leaving import drop
from harness.engine.loop import advance
from harness.execution.jobs import Job, perform
from harness.spec.arms import Run
from harness.spec.keys import shape_key
from tests.cases import MODELS, REGULARIZERS, on_pictures, regularized

TOLERANCE = 1e-10


def recipe(**fields):
    base = {
        "data": "digits",
        "model": h.MLP(widths=(12, 7)),
        "optimizer": h.Adam(lr=0.01),
        "batch_size": 100,
        "epochs": 3,
    }
    return h.Recipe(**base | {"dtype": "float64"} | fields)


def outcomes(runs) -> list[Outcome]:
    done = perform(Job(tuple(range(len(runs))), tuple(runs), test=True))
    assert not done.error, done.error
    return [done.outcomes[i] for i in range(len(runs))]


def numbers(outcome):
    closing = {k: v for k, v in outcome.summary.items() if k != "cost/seconds"}
    return [v for p in outcome.points for v in p.metrics.values()] + [
        closing[k] for k in sorted(closing)
    ]


def assert_same(a: Outcome, b: Outcome):
    assert (a.status, len(a.points)) == (b.status, len(b.points))
    assert numbers(a) == pytest.approx(numbers(b), abs=TOLERANCE, rel=TOLERANCE)


def runs_of(base, count=4):
    rates = [0.01, 0.003, 0.02, 0.001, 0.005]
    return [Run.of(base.with_values({"optimizer.lr": rates[i]}), i) for i in range(count)]


MODEL_RECIPES = {
    f"model {n}": recipe(model=c.model, data=c.data, epochs=2) for n, c in MODELS.items()
}
REGULARIZER_RECIPES = {
    f"regularizer {n}": regularized(recipe(), r) for n, r in REGULARIZERS.items()
}
OTHER_RECIPES = {
    "full batch": recipe(batch_size="full"),
    "one sample": recipe(batch_size=1, epochs=None, steps=60),
    "fixed order": recipe(batch_order="fixed"),
    "sequential": recipe(batch_order="sequential", drop_last=True),
    "schedule": recipe(schedule={"name": "WarmUp", "then": "cosine"}),
    "momentum": recipe(optimizer=h.SGD(lr=0.1, momentum=0.9)),
    "Muon": recipe(optimizer=h.Muon(lr=0.02)),
    "Muon of kernels": recipe(
        optimizer=h.Muon(lr=0.02),
        model=h.CNN2D(channels=(3, 4)),
        data={"name": "digits", "image": True},
        epochs=2,
    ),
    "Muon of fused projections": recipe(
        optimizer=h.Muon(lr=0.02), model=h.Transformer(patch=8, width=8, depth=1, heads=2), epochs=2
    ),
    "Adafactor": recipe(optimizer=h.Adafactor(lr=0.02)),
    "SOAP": recipe(optimizer=h.SOAP(lr=0.01)),
    "SOAP of kernels": recipe(
        optimizer=h.SOAP(lr=0.01),
        model=h.CNN2D(channels=(3, 4)),
        data={"name": "digits", "image": True},
        epochs=2,
    ),
    "Schedule-Free": recipe(optimizer=h.ScheduleFreeSGD(lr=0.3)),
    "Schedule-Free AdamW": recipe(
        optimizer=h.ScheduleFreeAdamW(lr=0.01),
        regularizers=[h.EarlyStopping(patience=2), h.WeightDecay(rate=0.1)],
    ),
    "dropout and batch norm": recipe(
        model=h.MLP(widths=(12, 12), norm="batch"), regularizers=[h.Dropout(rate=0.4)]
    ),
    "regression": recipe(data="diabetes", loss=h.Huber(delta=0.7)),
    "torch module": recipe(model={"name": "tests.plugins.TinyNet", "width": 9}),
}
RECIPES = MODEL_RECIPES | REGULARIZER_RECIPES | OTHER_RECIPES


@pytest.mark.parametrize("name", RECIPES)
def test_member_equals_run_alone(name):
    runs = runs_of(RECIPES[name])
    together, pair = outcomes(runs), outcomes(runs[1:3])
    for i, run in enumerate(runs):
        (alone,) = outcomes([run])
        assert_same(together[i], alone)
    assert_same(pair[0], together[1])


@pytest.mark.parametrize(
    "name", ["regularizer dropout", "regularizer early stopping", "model batch-norm MLP"]
)
def test_members_that_leave_change_nothing_for_the_others(name):
    runs = runs_of(RECIPES[name])
    whole = outcomes(runs)
    cohort = start(runs, test=True)
    half = next(e for e in (12, 24) if e)
    advance(cohort, half)
    live = {m.index for m in cohort.members}
    drop(cohort, [i for i in (0, 2) if i in live], "pruned")
    advance(cohort)
    for i in (1, 3):
        assert_same(cohort.outcomes[i], whole[i])
    pruned = cohort.outcomes[0]
    assert pruned.status == "pruned" and pruned.points == whole[0].points[: len(pruned.points)]


def test_optimizers_share_a_cohort_and_leave_it_one_by_one():
    optimizers = [
        h.Adam(lr=0.01),
        h.SGD(lr=1e9),
        h.Muon(lr=0.02),
        h.SGD(lr=0.1, momentum=0.9),
        h.Lion(lr=1e-3),
        h.SGD(lr=0.05),
        h.SOAP(lr=0.01),
        h.ScheduleFreeSGD(lr=1e9),
        h.Adam(lr=0.02),
        h.SOAP(lr=1e9),
        h.Adafactor(lr=0.05),
        h.ScheduleFreeAdamW(lr=0.01),
        h.ScheduleFreeSGD(lr=0.1),
    ]
    base = recipe(loss="mse", model=h.MLP(widths=(12, 7), activation="identity"), epochs=6)
    runs = [
        Run.of(base.with_values({"optimizer": optimizer.dump()}), i)
        for i, optimizer in enumerate(optimizers)
    ]
    together = outcomes(runs)
    diverged = [i for i, outcome in enumerate(together) if outcome.status == "diverged"]
    assert {1, 7} <= set(diverged) <= {1, 7, 9}
    for i, run in enumerate(runs):
        assert_same(together[i], outcomes([run])[0])


def test_early_stopping_takes_the_best_weights():
    base = recipe(
        optimizer=h.Adam(lr=0.1),
        epochs=30,
        regularizers=[h.EarlyStopping(patience=3)],
        data={"name": "digits", "train_size": 100},
    )
    (outcome,) = outcomes([Run.of(base, 0)])
    losses = [p.metrics["valid/loss"] for p in outcome.points]
    best = min(range(len(losses)), key=losses.__getitem__)
    assert outcome.status == "stopped" and len(losses) - 1 - best == 3
    assert outcome.summary["valid/loss"] == pytest.approx(losses[best], rel=1e-9)
    assert outcome.summary["best/step"] == outcome.points[best].step


def test_diverged_member_is_an_outcome_and_spares_the_others():
    runs = [
        Run.of(
            recipe(
                optimizer=h.SGD(lr=lr), model=h.MLP(widths=(12,), activation="identity"), loss="mse"
            ),
            0,
        )
        for lr in (0.1, 1e6, 0.01)
    ]
    ended = outcomes(runs)
    assert [o.status for o in ended] == ["finished", "diverged", "finished"]
    assert "not finite at step" in ended[1].detail and "test/loss" not in ended[1].summary
    assert_same(ended[2], outcomes(runs[2:])[0])


@pytest.mark.parametrize("name", REGULARIZERS)
def test_every_regularizer_does_something(name):
    if name == "early stopping":
        pytest.skip("it has a test of its own")
    base = on_pictures(recipe()) if REGULARIZERS[name].for_pictures else recipe()
    plain, regular = (
        outcomes([Run.of(base, 0)])[0],
        outcomes([Run.of(RECIPES[f"regularizer {name}"], 0)])[0],
    )
    assert (
        abs(plain.points[-1].metrics["train/loss"] - regular.points[-1].metrics["train/loss"])
        > 1e-4
    )
    assert plain.points[0].metrics == regular.points[0].metrics


@pytest.mark.parametrize(
    ("model", "options"),
    [
        (h.MLP(widths=(13, 7)), {}),
        (h.MLP(widths=(9, 9), norm="batch"), {}),
        (h.CNN2D(channels=(3, 5)), {"image": True}),
    ],
    ids=["MLP", "batch norm", "CNN"],
)
def test_bits_do_not_depend_on_place_or_company(model, options):
    data = {"name": "digits", "train_size": 300} | options
    base = recipe(model=model, data=data, dtype="float32", batch_size=33, epochs=2)
    others = [Run.of(base, seed) for seed in (5, 6, 7)]
    alone, after, before = (
        outcomes([Run.of(base, 0)]),
        outcomes([*others, Run.of(base, 0)]),
        outcomes([Run.of(base, 0), *others[:1]]),
    )
    assert numbers(alone[0]) == numbers(after[3]) == numbers(before[0])


def test_same_seed_same_numbers_and_another_seed_others():
    a, b, c = outcomes([Run.of(recipe(regularizers=[h.Dropout()]), s) for s in (0, 0, 1)])
    assert numbers(a) == numbers(b) != numbers(c)


def test_seed_gives_the_same_start_and_order_in_every_arm():
    sgd, adam = (
        outcomes([Run.of(recipe(optimizer=o, epochs=1), 3)])[0]
        for o in (h.SGD(lr=1e-12), h.Adam(lr=1e-12))
    )
    assert sgd.points[0].metrics == adam.points[0].metrics
    assert sgd.points[1].metrics["batch/loss"] == pytest.approx(
        adam.points[1].metrics["batch/loss"], rel=1e-8
    )


def test_numbers_share_a_cohort_and_shapes_do_not():
    base = recipe(regularizers=[h.Dropout(rate=0.1)])
    same = [
        {"optimizer": {"name": "SGD", "lr": 0.1}},
        {"optimizer": "Adagrad", "optimizer.lr": 0.5},
        {"optimizer.lr": 0.5},
        {"regularizers.Dropout.rate": 0.4},
        {"schedule": "Cosine"},
        {"optimizer.beta1": 0.5},
    ]
    other = [
        {"batch_size": 50},
        {"model.widths": [12]},
        {"epochs": 4},
        {"optimizer": {"name": "torch.optim.SGD", "lr": 0.1}},
        {"data": "wine"},
    ]
    assert all(shape_key(base.with_values(v)) == shape_key(base) for v in same)
    assert all(shape_key(base.with_values(v)) != shape_key(base) for v in other)


def test_global_generators_are_left_alone():
    import random

    import numpy as np
    import torch

    before = torch.random.get_rng_state(), np.random.get_state()[1].copy(), random.getstate()
    outcomes(runs_of(RECIPES["regularizer dropout"], 2))
    assert torch.equal(before[0], torch.random.get_rng_state())
    assert (before[1] == np.random.get_state()[1]).all() and before[2] == random.getstate()


@pytest.mark.parametrize("widths", [(12, 7), (64, 64)])
def test_a_cohort_goes_on_in_another_process_as_in_its_own(widths):
    runs = runs_of(recipe(model=h.MLP(widths=widths), dtype="float32"), 4)
    stayed, moved = start(runs, test=False), start(runs, test=False)
    rung = 24
    advance(stayed)
    moved = pickle.loads(pickle.dumps(advance(moved, rung)))
    assert moved.done == rung
    advance(moved)
    for index in range(4):
        assert [p.metrics for p in moved.outcomes[index].points] == [
            p.metrics for p in stayed.outcomes[index].points
        ]
