"""Cohorts whose members are on several splits of the data: each member equals its run alone."""

import pickle

import numpy as np
import pytest
import torch

import harness as h
from harness.core.errors import HarnessError, ProtocolError
from harness.core.recent import keep_recent
from harness.data.base import Data, load_data
from harness.data.dataset import Raw
from harness.engine.cohort import start
from harness.engine.cohort_key import MIXED, cohort_key
from harness.engine.leaving import drop
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.engine.splits import splits_of
from harness.spec.arms import Run
from harness.spec.component import parse_part
from harness.spec.resolved import resolve
from tests.cases import REGULARIZERS, regularized
from tests.engine.test_cohort import MODEL_RECIPES, assert_same, numbers, outcomes, recipe
from tests.probes.test_contract import PROBES, options

OPTIONS = {
    "standardize": recipe(data=h.Wine(), batch_size=25),
    "label noise": recipe(data=h.MNIST1D(train_size=300, label_noise=0.3)),
    "polynomial": recipe(data=h.Iris(polynomial=2, standardize=True), batch_size=16),
    "training size": recipe(data=h.Digits(train_size=150), batch_size=40),
    "no validation": recipe(data=h.Digits(train_size=150, valid_fraction=0.0), batch_size=40),
    "regression": recipe(data="diabetes", loss=h.Huber(delta=0.7)),
    "full batch": recipe(data=h.Wine(), batch_size="full", epochs=12),
    "one sample": recipe(batch_size=1, epochs=None, steps=30),
    "one batch in the fixed order": recipe(batch_order="fixed", drop_last=True),
    "source's order": recipe(batch_order="sequential", drop_last=True),
    "dropout and batch norm": recipe(
        model=h.MLP(widths=(12, 12), norm="batch"), regularizers=[h.Dropout(rate=0.4)]
    ),
    "early stopping and batch norm": recipe(
        model=h.MLP(widths=(9,), norm="batch"),
        data=h.Digits(train_size=100),
        optimizer=h.Adam(lr=0.1),
        batch_size=20,
        epochs=25,
        regularizers=[h.EarlyStopping(patience=2)],
    ),
    "torch module": recipe(model={"name": "tests.plugins.TinyNet", "width": 9}),
    "gradients": recipe(epochs=None, gradients=2000),
}
RECIPES = OPTIONS | {
    "CNN": MODEL_RECIPES["model batch-norm CNN2D"],
    "transformer": MODEL_RECIPES["model transformer"],
    **{f"regularizer {name}": regularized(recipe(), r) for name, r in REGULARIZERS.items()},
}
SPLITS = (2, 0, 5, 2, 0)
RATES = (0.01, 0.003, 0.02, 0.001, 0.005)


def runs_of(base, probes=(), splits=SPLITS):
    """Return runs that differ in rate, seed and split, two of three splits more than once."""
    return [
        Run.of(base.with_values({"optimizer.lr": rate, "data.split": split}), i % 3, probes)
        for i, (rate, split) in enumerate(zip(RATES, splits, strict=False))
    ]


@pytest.mark.parametrize("name", RECIPES)
def test_a_member_on_a_split_of_its_own_equals_its_run_alone(name):
    runs = runs_of(RECIPES[name])
    together = outcomes(runs)
    for member, run in zip(together, runs, strict=True):
        assert_same(member, outcomes([run])[0])
    at_start = [o.points[0].metrics for o in outcomes(runs_of(RECIPES[name], splits=(0, 1)))]
    assert at_start[0] != at_start[1]


def test_optimizers_are_sorted_and_splits_stay_with_their_members():
    optimizers = [h.Adam(lr=0.01), h.SGD(lr=1e9), h.Muon(lr=0.02), h.SGD(lr=0.1), h.Adam(lr=0.02)]
    base = recipe(data=h.Wine(), batch_size=25, loss="mse", model=h.MLP(activation="identity"))
    runs = [
        Run.of(base.with_values({"optimizer": o.dump(), "data.split": split}), 0)
        for o, split in zip(optimizers, SPLITS, strict=True)
    ]
    together = outcomes(runs)
    assert together[1].status == "diverged"
    for member, run in zip(together, runs, strict=True):
        assert_same(member, outcomes([run])[0])


def test_bits_do_not_depend_on_other_splits():
    base = recipe(data=h.Digits(train_size=300), dtype="float32", batch_size=33, epochs=2)
    runs = runs_of(base)
    for member, run in zip(outcomes(runs), runs, strict=True):
        assert numbers(member) == numbers(outcomes([run])[0])


@pytest.mark.parametrize("name", [n for n in PROBES if n != "Throughput"])
def test_probes_look_at_the_member_s_own_split(name):
    base = recipe(data=h.Digits(train_size=60), batch_size=20, model=h.MLP(widths=(8,)), epochs=2)
    runs = runs_of(base, _probes(name))
    together = outcomes(runs)
    for member, run in zip(together, runs, strict=True):
        (alone,) = outcomes([run])
        assert_same(member, alone)
        assert [list(p.metrics) for p in member.points] == [list(p.metrics) for p in alone.points]
        assert member.arrays.keys() == alone.arrays.keys()
        for array in alone.arrays:
            assert np.allclose(member.arrays[array], alone.arrays[array], rtol=1e-10, atol=1e-10)


def _probes(name, **fields):
    return (parse_part("probe", options(name, **fields)),)


def test_full_batches_keep_their_order_for_probes_that_look_at_their_first_samples():
    runs = runs_of(OPTIONS["full batch"], _probes("NoiseScale", small=4))
    for member, run in zip(outcomes(runs), runs, strict=True):
        assert_same(member, outcomes([run])[0])


def test_confusion_of_a_class_that_one_split_does_not_hold_out():
    # nine samples of three classes, of which each split holds other ones out
    base = recipe(data=h.Iris(train_size=20, valid_fraction=0.02), batch_size=5, epochs=1)
    runs = runs_of(base, _probes("Confusion"), splits=(0, 1, 2, 3))
    together = outcomes(runs)
    classes = set()
    for member, run in zip(together, runs, strict=True):
        (alone,) = outcomes([run])
        assert [p.metrics.keys() for p in member.points] == [p.metrics.keys() for p in alone.points]
        assert_same(member, alone)
        classes.add(tuple(sorted(k for k in member.points[0].metrics if "accuracy" in k)))
    assert len(classes) > 1


def test_gradient_descent_on_each_split_is_that_of_numpy():
    # w ← w − η 2/N Xᵀ(Xw − y) on the split's own arrays, scaled by its own training part
    base = recipe(
        data=h.Diabetes(), model=h.Linear(), optimizer=h.SGD(lr=0.1), batch_size="full", loss="mse"
    ).with_values({"epochs": 30})
    ended = outcomes([Run.of(base.with_values({"data.split": k}), 0) for k in (0, 3, 4)])
    for k, outcome in zip((0, 3, 4), ended, strict=True):
        run = Run.of(base.with_values({"data.split": k}), 0)
        first = start([run], test=False)
        program = program_of(run.recipe)
        views = {n: v[0].numpy().copy() for n, v in program.layout.views(first.w_KP).items()}
        data = load_data(run.recipe.data)
        (w_name,) = [n for n, v in views.items() if v.ndim == 2]
        (b_name,) = [n for n, v in views.items() if v.ndim == 1]
        w, b = views[w_name].reshape(-1), views[b_name].reshape(())
        x, y = data.train.x, data.train.y[:, 0]
        for _ in range(30):
            error = x @ w + b - y
            w, b = w - 0.1 * 2 * x.T @ error / len(x), b - 0.1 * 2 * error.mean()
        for name, part in (("valid", data.valid), ("test", data.test)):
            loss = ((part.x @ w + b - part.y[:, 0]) ** 2).mean()
            assert outcome.summary[f"{name}/loss"] == pytest.approx(loss, rel=1e-9)


def test_members_leave_and_the_rest_goes_on_in_another_process():
    runs = runs_of(recipe(data=h.Wine(), batch_size=25, epochs=4))
    whole = outcomes(runs)
    cohort = start(runs, test=True)
    advance(cohort, 5)
    drop(cohort, [0, 2], "pruned")  # of split 2 one is left, of split 5 none
    cohort = pickle.loads(pickle.dumps(cohort))
    advance(cohort, 10)
    drop(cohort, [3], "pruned")  # only split 0 is left
    rest = advance(pickle.loads(pickle.dumps(cohort)))
    for i in (1, 4):
        assert_same(rest.outcomes[i], whole[i])
    assert rest.permit.opened == {0, 1, 2, 3, 4}


def test_test_data_are_opened_once_a_member_on_every_split():
    runs = runs_of(recipe(epochs=1))
    cohort = advance(start(runs, test=True))
    assert cohort.permit.opened == set(range(5))
    program = program_of(runs[0].recipe)
    for split in splits_of(program, [run.recipe for run in runs]).each:
        with pytest.raises(ProtocolError, match="asked for again"):
            split.program.test.open(cohort.permit, split.members)


def test_one_split_takes_the_cohort_s_tensors_and_the_data_uncopied():
    runs = runs_of(recipe(), splits=(4, 4, 4))
    program = program_of(runs[0].recipe)
    splits = splits_of(program, [run.recipe for run in runs])
    (split,) = splits.each
    w_KP = torch.zeros(3, program.layout.width)
    assert splits.train is program.train and split.of(w_KP) is w_KP


def key(**fields):
    return cohort_key(resolve(recipe(**fields)))


def test_splits_share_a_cohort_unless_it_would_cost_memory():
    assert key(data=h.Digits(split=3)) == key()
    assert key(data=h.Digits(split=3), optimizer=h.SGD(lr=0.1)) == key()
    assert key(data=h.Digits(seed=3)) != key()
    # full batches, by either name, are one tensor that the members share
    for size in ("full", 1150):
        assert key(batch_size=size, data=h.Digits(split=3)) != key(batch_size=size)
        assert key(batch_size=size, optimizer=h.SGD(lr=0.1)) == key(batch_size=size)
    # 4,000 training samples of 700 numbers and a target are 11 MB in float32, 22 MB in float64
    large = {"samples": 6250, "features": 700}
    assert 4 * 4000 * 701 < MIXED < 8 * 4000 * 701
    for dtype, alike in (("float32", True), ("float64", False)):
        here, there = (
            key(data=h.TeacherStudent(**large, split=k), dtype=dtype, batch_size=10) for k in (0, 1)
        )
        assert (here == there) == alike, dtype


class Uneven(Data):
    """A user's data whose arrays depend on the split, which they must not."""

    task = "regression"

    def raw(self):
        x = np.linspace(-1, 1, 40 + 10 * self.split)[:, None]
        return Raw(x, x)


def test_splits_of_other_sizes_are_refused():
    runs = [
        Run.of(recipe(data=Uneven(split=k), model=h.Linear(), loss="mse", batch_size=8), 0)
        for k in (0, 1)
    ]
    with pytest.raises(HarnessError, match=r"same sizes in every split of .*Uneven, got .*'train'"):
        advance(start(runs, test=False))


def test_recent_results_are_kept_by_their_bytes():
    made = []

    @keep_recent(limit=100)
    def zeros(count):
        made.append(count)
        return np.zeros(count, np.uint8)

    assert zeros(40) is zeros(40) and zeros(50) is zeros(50)
    zeros(40)
    zeros(30)  # 120 bytes: the one used longest ago, 50, goes
    zeros(40)
    zeros(50)
    zeros(1000)  # more than all: kept alone
    zeros(1000)
    zeros(40)
    assert made == [40, 50, 30, 50, 1000, 40]
