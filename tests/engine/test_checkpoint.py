"""A cohort that is written between two updates and read elsewhere goes on to the same bits."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch

import harness as h
from harness.core.records import Outcome, Point
from harness.engine import several_updates
from harness.engine.checkpoint.cohorts import cohort_from_tree, cohort_to_tree
from harness.engine.checkpoint.objects import ObjectReader, ObjectWriter
from harness.engine.checkpoint.tree import NotKeptError, from_tree, to_tree
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.engine.test_set import Permit
from harness.probes.base import Probe
from harness.spec.arms import Run
from harness.spec.probes import expand_sets
from tests.cases import OPTIMIZERS, REGULARIZERS, regularized

BASE = h.Recipe(
    data={"name": "digits", "train_size": 200},
    model=h.MLP(widths=(12, 7)),
    optimizer=h.Adam(lr=0.01),
    batch_size=32,
    steps=20,
    eval_every=8,
    schedule="cosine",
)
OWN = {
    "model": {"name": "tests.plugins.Noisy"},
    "optimizer": {"name": "torch.optim.AdamW", "lr": 0.01},
}


@pytest.fixture(autouse=True)
def one_update_a_call(monkeypatch):
    """Where this machine has kernels, too, a cohort can be saved after each update."""
    monkeypatch.setattr(several_updates, "AT_ONCE", 1)


class Stopped(Exception):
    pass


def in_pieces(runs: list[Run], at: int) -> tuple[list[Outcome], int]:
    """Return the outcomes of runs that are written after ``at`` updates and read again, and the updates made after that."""
    made = {False: 0, True: 0}
    content = io.BytesIO()

    def save(cohort):
        made[False] += 1
        if made[False] == at:
            torch.save(cohort_to_tree(cohort), content)
            raise Stopped

    def count(cohort):
        made[True] += 1

    with pytest.raises(Stopped):
        advance(start(runs, test=True), between=save)
    content.seek(0)
    cohort = cohort_from_tree(torch.load(content, weights_only=True), runs)
    advance(cohort, between=count)
    return [cohort.outcomes[i] for i in range(len(runs))], made[True]


def same(a: Outcome, b: Outcome) -> None:
    assert a.status == b.status and a.detail == b.detail
    assert a.points == b.points and a.arrays == b.arrays
    timed = "cost/seconds"
    assert {**a.summary, timed: 0} == {**b.summary, timed: 0}


def check(recipe: h.Recipe, seeds: int = 2, probes=(), at: int = 11) -> None:
    runs = [Run.of(recipe, seed, tuple(probes)) for seed in range(seeds)]
    cohort = advance(start(runs, test=True))
    resumed, updates = in_pieces(runs, at)
    assert updates < 20 - at, "it went on, and did not begin again"
    for i, outcome in enumerate(resumed):
        same(cohort.outcomes[i], outcome)


CASES = {
    "dropout and augmentation": {
        "regularizers": [h.Dropout(rate=0.3), h.Mixup(alpha=0.5), h.InputNoise(std=0.2)],
        "optimizer": h.SGD(lr=0.1, momentum=0.9),
    },
    "early stopping and running statistics": {
        "model": h.MLP(widths=(12, 12), norm="batch"),
        "regularizers": [h.EarlyStopping(patience=9, metric="valid/accuracy")],
    },
    "average of weights": {"average": {"name": "EMA"}},
    "accumulated gradients": {"accumulate": 4},
    "float16": {"amp": "fp16"},
    "torch module": {"model": {"name": "tests.plugins.TinyNet", "width": 9}},
}
ALONE = {
    "module with own draws and running statistics": OWN,
    "LBFGS": {
        "optimizer": {"name": "torch.optim.LBFGS", "lr": 0.1, "line_search_fn": "strong_wolfe"},
        "steps": None,
        "gradients": 32 * 200,
    },
    "a function that makes it": {"optimizer": {"name": "tests.plugins.sharpness_aware", "lr": 0.1}},
    "Schedule-Free": {"optimizer": {"name": "pytorch_optimizer.ScheduleFreeAdamW", "lr": 0.01}},
}


@pytest.mark.parametrize("name", [*CASES, *ALONE])
def test_it_goes_on_to_the_same_bits(name):
    fields = (CASES | ALONE)[name]
    length = {"steps": None, "eval_every": 120 * 32} if fields.get("gradients") else {}
    at = 3 if length else 11
    check(BASE.with_values({**fields, **length}), seeds=1 if name in ALONE else 3, at=at)


@pytest.mark.parametrize("at", [1, 7, 8, 15])
def test_at_any_update(at):
    check(BASE.with_values({"regularizers": [h.Dropout(rate=0.3)]}), at=at)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer(name):
    check(BASE.with_values({"optimizer": OPTIMIZERS[name].optimizer}))


@pytest.mark.parametrize("name", REGULARIZERS)
def test_every_regularizer(name):
    check(regularized(BASE, REGULARIZERS[name]))


def test_probes_go_on_from_what_they_keep():
    every = [{"name": "full", "every": 3, "unit": "steps"}]
    check(BASE, probes=[Probe.parse(probe) for probe in expand_sets(every)])


@pytest.mark.parametrize(
    "value",
    [
        {1: (None, True, 2.5, "a", b"b")},
        {3, 1},
        [slice(None, 4), slice(1, 2, 3)],
        Point(1, 0.5, 32, {"valid/loss": 0.1}),
        Permit(True, {1, 2}),
        2**80,
        float("inf"),
    ],
)
def test_values_come_back_as_they_were(value):
    back = through_a_file(to_tree(value))
    assert from_tree(back) == value and type(from_tree(back)) is type(value)


def test_streams_go_on():
    stream, on_torch = np.random.Generator(np.random.SFC64(3)), torch.Generator().manual_seed(5)
    stream.standard_normal(7, dtype=np.float32), torch.rand(3, generator=on_torch)
    copies = from_tree(through_a_file(to_tree([stream, on_torch])))
    assert (copies[0].standard_normal(9) == stream.standard_normal(9)).all()
    drawn = [torch.rand(4, generator=each) for each in (copies[1], on_torch)]
    assert torch.equal(*drawn)


def through_a_file(tree):
    content = io.BytesIO()
    torch.save(tree, content)
    content.seek(0)
    return torch.load(content, weights_only=True)


def test_a_file_can_name_no_code():
    for kind in ("named os:system", "fields subprocess:Popen", "named harness:nothing", "eval"):
        with pytest.raises(NotKeptError):
            from_tree({"is": kind, "items": ["true"]})
    with pytest.raises(NotKeptError, match="object"):
        to_tree(object())


def test_a_small_view_does_not_drag_its_memory_along():
    content = io.BytesIO()
    torch.save(to_tree(torch.zeros(100_000)[:10]), content)
    assert len(content.getvalue()) < 5000


class Inner:
    def __init__(self):
        self.count, self.rows = 0, [torch.zeros(2)]


class Outer:
    """State as libraries have it: by parameter, in an object inside, and one list in two places."""

    def __init__(self, parameters):
        self.parameters, self.inner, self.call = parameters, Inner(), len
        self.groups = [{"params": parameters, "lr": 0.1}]
        self.inner.groups, self.state, self.itself = self.groups, {}, self


def test_an_object_s_state_is_put_into_one_made_afresh():
    parameters = [torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(3))]
    was = Outer(parameters)
    was.inner.count, was.groups[0]["lr"] = 7, 0.2
    was.inner.rows.append(torch.ones(1))
    was.state[parameters[1]] = {"step": torch.tensor(3.0), "list": [None, torch.ones(2)]}
    tree = through_a_file(ObjectWriter(parameters).write(vars(was)))
    new = [torch.nn.Parameter(torch.zeros(2)), torch.nn.Parameter(torch.zeros(3))]
    made = Outer(new)
    ObjectReader(new).read(tree, vars(made))
    assert made.inner.count == 7 and made.groups[0]["lr"] == 0.2 and made.call is len
    assert made.inner.groups is made.groups and made.itself is made
    assert made.groups[0]["params"][0] is new[0] and list(made.state) == [new[1]]
    assert torch.equal(made.state[new[1]]["list"][1], torch.ones(2)) and len(made.inner.rows) == 2
