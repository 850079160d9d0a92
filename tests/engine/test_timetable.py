"""Lengths of runs in epochs, steps, samples and gradients."""

import pytest
import torch

import harness as h
from harness.engine.program import program_of
from harness.engine.timetable import make_timetable, samples_seen, updates_worth
from harness.protocol.train import train_outcomes
from harness.spec.resolved import resolve

BASE = {"data": h.Digits(train_size=200), "model": h.MLP(widths=(8,)), "optimizer": h.SGD(lr=0.1)}


@pytest.mark.parametrize("batch, steps", [(1, 600), (32, 21), (64, 12), (150, 6), ("full", 3)])
def test_batch_sizes_can_be_given_equal_work(batch, steps):
    times = program_of(
        resolve(h.Recipe(**BASE, batch_size=batch, samples=600, eval_every=100))
    ).times
    assert times.steps == steps
    assert all(
        b - a <= max(1, 100 // times.batch)
        for a, b in zip(times.evaluations, times.evaluations[1:], strict=False)
    )


@pytest.mark.parametrize("batch", [1, 7, 32, 64, 150, "full"])
def test_every_batch_size_sees_at_least_the_samples_asked_for_and_less_than_one_batch_more(batch):
    (run,) = h.train(h.Recipe(**BASE, batch_size=batch, samples=700, eval_every=700)).runs.to_dict(
        "records"
    )
    assert 700 <= run["cost/gradients"] < 700 + (200 if batch == "full" else batch)


def test_gradients_are_samples_for_rules_that_need_one_an_update():
    runs = [
        h.train(h.Recipe(**BASE, batch_size=32, **{unit: 640}), test=True).runs
        for unit in ("samples", "gradients")
    ]
    assert runs[0]["test/loss"][0] == runs[1]["test/loss"][0]
    assert (
        runs[0]["cost/gradients"][0] == 3 * 200 + 2 * 32 and runs[0]["cost/steps"][0] == 3 * 7 + 2
    )


def test_an_optimizer_that_looks_often_gets_fewer_updates_for_the_same_gradients():
    lbfgs = h.ExternalOptimizer("torch.optim.LBFGS", lr=0.1, max_iter=5)
    recipe = h.Recipe(**BASE | {"optimizer": lbfgs}, batch_size="full", gradients=200 * 30)
    (run,) = h.train(recipe).runs.to_dict("records")
    assert (
        run["status"] == "finished"
        and run["cost/steps"] < 30
        and 200 * 30 <= run["cost/gradients"] < 200 * 36
    )


@pytest.mark.parametrize("sizes", [[200], [60, 60, 60, 20]], ids=["full", "mini"])
@pytest.mark.parametrize("schedule", [h.Cosine(), h.OneCycle()])
def test_a_schedule_ends_with_the_budget_of_gradients(sizes, schedule, monkeypatch):
    """The rates are read where torch's optimizer reads them, and its gradients counted there."""
    rates, used = [], [0]

    class Looks(torch.optim.LBFGS):
        def step(self, closure):
            size = sizes[len(rates) % len(sizes)]
            rates.append((used[0], self.param_groups[0]["lr"]))

            def counted():
                used[0] += size
                return closure()

            return super().step(counted)

    monkeypatch.setattr(torch.optim, "LBFGS", Looks)
    lbfgs = h.ExternalOptimizer("torch.optim.LBFGS", lr=1.0, max_iter=4)
    # worth 40 updates of one gradient a sample; those of LBFGS take up to five
    budget = 200 * 40 // len(sizes)
    fields = BASE | {"optimizer": lbfgs, "batch_size": sizes[0], "schedule": schedule}
    # without the plan's trial, whose gradients would be counted too
    (run,) = train_outcomes(h.Recipe(**fields, gradients=budget), [0])
    assert len(rates) == run.summary["cost/steps"]
    assert 5 <= len(rates) <= 20
    expected = []
    for samples, _ in rates:
        epoch, rest = divmod(samples, 200)
        expected.append(schedule.factor(epoch * len(sizes) + rest // sizes[0], 40, len(sizes)))
    assert [rate for _, rate in rates] == pytest.approx(expected, rel=1e-6)
    assert rates[-1][1] < 0.1 and max(expected) > 0.9


SCHEDULES = [
    h.Constant(), h.Cosine(), h.StepDecay(every=1), h.OneCycle(), h.OneCycle(rise=0.5), h.WarmUp(),
    h.WarmUp(share=0.99, then="cosine"),
]  # fmt: skip


@pytest.mark.parametrize("schedule", SCHEDULES, ids=str)
@pytest.mark.parametrize(
    ("length", "steps"),
    # epochs of 4 updates: 60, 60, 60 and 20 samples; 7 updates end in the middle of the second
    [({"steps": n}, n) for n in (1, 2, 3, 7)]
    + [({unit: n}, steps) for unit in ("samples", "gradients") for n, steps in ((1, 1), (61, 2), (340, 7))]
    + [({"epochs": 1}, 4)],
    ids=str,
)  # fmt: skip
def test_short_runs_and_runs_that_end_within_an_epoch_train_by_their_schedule(
    schedule, length, steps, monkeypatch
):
    rates = []

    class Watched(torch.optim.SGD):
        def step(self, closure=None):
            rates.append(self.param_groups[0]["lr"])
            return super().step(closure)

    monkeypatch.setattr(torch.optim, "SGD", Watched)
    outside = h.ExternalOptimizer("torch.optim.SGD", lr=1.0)
    fields = {**BASE, "optimizer": outside, "batch_size": 60, "schedule": schedule, **length}
    (run,) = h.train(h.Recipe(**fields), test=True).runs.to_dict("records")
    assert (run["status"], run["cost/steps"]) == ("finished", steps)
    assert rates[-steps:] == pytest.approx([schedule.factor(i, steps, 4) for i in range(steps)])
    own = {**fields, "optimizer": h.SGD(lr=1.0)}
    (again,) = h.train(h.Recipe(**own), test=True).runs.to_dict("records")
    assert again["test/loss"] == pytest.approx(run["test/loss"], rel=1e-4)


def test_a_schedule_of_one_gradient_an_update_stands_at_the_updates_made():
    recipe = resolve(h.Recipe(**BASE, batch_size=60, gradients=1010))
    times = make_timetable(recipe, 200)
    seen = [samples_seen(recipe, times, 200, done) for done in range(times.steps)]
    assert [updates_worth(recipe, times, 200, used) for used in seen] == [*range(times.steps)]
    assert updates_worth(recipe, times, 200, 1009) == times.steps - 1


def test_one_length_takes_the_place_of_another():
    recipe = h.Recipe(**BASE, epochs=3).with_values({"samples": 500})
    assert recipe.epochs is None and recipe.samples == 500
    with pytest.raises(
        ValueError, match="expected one of epochs, steps, samples, gradients, got epochs and steps"
    ):
        h.Recipe(**BASE, epochs=3, steps=5)


def test_products_of_features():
    import numpy as np

    from harness.data.base import load_data

    plain, cubic = load_data(h.Spirals()).train.x, load_data(h.Spirals(polynomial=3)).train.x
    assert cubic.shape[1] == 9 and np.allclose(cubic[:, :2], plain)
    assert np.allclose(cubic[:, 6], plain[:, 0] ** 2 * plain[:, 1]) and np.allclose(
        cubic[:, 8], plain[:, 1] ** 3
    )


def test_adam_without_correction_starts_with_longer_steps():
    def first(**options):
        recipe = h.Recipe(
            **BASE | {"optimizer": h.Adam(lr=1e-3, **options)}, steps=2, dtype="float64"
        )
        return (
            h.train(recipe, probes=[{"name": "UpdateRatio", "unit": "steps"}])
            .curves["update/norm"]
            .iloc[0]
        )

    assert first(bias_correction=False) / first() == pytest.approx(0.1 / 0.001**0.5, rel=0.05)
