"""Shares of a batch: the gradients of all processes add up to that of the whole batch."""

import pytest
import torch
from torch import nn

import harness as h
from harness.core.errors import HarnessError
from harness.core.noise import Noise
from harness.core.ranks import Rank, ranked
from harness.engine.batches import Batches
from harness.engine.batching import check_batching
from harness.engine.differentiate import TrainingPass
from harness.engine.hyperparameters import stack_hyperparameters
from harness.engine.initialize import initial_buffers, initial_weights
from harness.engine.program import program_of
from harness.engine.splits import splits_of
from harness.protocol.check import check_study
from harness.protocol.plan import plan_study
from harness.spec.resolved import resolve
from tests.cases import MODELS

BASE = h.Recipe(
    data=h.Digits(train_size=120),
    model=h.MLP(widths=(12, 7), activation="tanh", dropout=0.3),
    optimizer=h.SGD(lr=0.2),
    batch_size=30,
    steps=7,
    dtype="float64",
    processes=3,
)


def gradient(recipe, rank=None, record=None):
    """The loss and the gradient that one process would send, or of the whole batch."""
    recipe = resolve(recipe)
    program = program_of(recipe)
    batch = Batches(program, splits_of(program, [recipe]), [0]).batch(0)
    hyper = stack_hyperparameters([recipe], program.device, program.dtype)
    noise = Noise([0], 0, program.device, program.dtype)
    given = initial_weights(program, [0]), initial_buffers(program, [0]), batch, hyper, noise
    with ranked(rank) if rank else torch.no_grad(), torch.enable_grad():
        found = program.differentiator.gradient(*given, record=record)
    # whole rows, as the optimizer is given them
    g_KP = torch.cat([block.g_KC for block in found.blocks], 1)
    return torch.cat([found.loss_K[:, None], g_KP], 1).clone(), noise


@pytest.fixture
def apart(monkeypatch):
    """Let every process keep what it would send."""
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda tensor: None)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"model": h.MLP(widths=(256, 256))},  # large enough for gradients apart from the rows
        {"loss": h.CrossEntropy(weight=[1.0, 2.0, 3.0] + [1.0] * 7)},
        {"amp": True, "dtype": "float32", "accumulate": 2, "model.dropout": 0.0},
        {"model": MODELS["GPT"].model.dump(), "data": MODELS["GPT"].data},
    ],
    ids=str,
)
def test_shares_add_up_to_the_gradient_of_the_batch(apart, fields):
    recipe = BASE.with_values(fields)
    whole, _ = gradient(recipe)
    parts = [gradient(recipe, Rank(place, 3))[0] for place in range(3)]
    close = {"rtol": 0.02, "atol": 0.01} if recipe.amp else {"rtol": 1e-9, "atol": 1e-12}
    torch.testing.assert_close(sum(parts), whole, **close)
    assert not torch.allclose(3 * parts[0], whole, rtol=1e-3)


def test_a_pass_that_is_looked_at_is_of_the_whole_batch_and_draws_no_further(apart):
    record = TrainingPass()
    looked, noise = gradient(BASE, Rank(1, 3), record)
    plain, other = gradient(BASE, Rank(1, 3))
    assert torch.equal(looked, plain)
    assert torch.equal(noise.uniform(5), other.uniform(5))
    whole = TrainingPass()
    gradient(BASE, record=whole)
    assert record.batch.x_KB.shape[1] == 30
    for name, expected in whole.seen.outputs.items():
        assert torch.equal(record.seen.outputs[name], expected)


def test_fewer_samples_than_processes_are_taken_whole_by_each(apart):
    recipe = BASE.with_values({"batch_size": 2, "model.dropout": 0.0})
    assert torch.equal(gradient(recipe, Rank(2, 3))[0], gradient(recipe)[0])


def test_code_that_draws_by_itself_draws_apart():
    noise = Noise([0], 0, torch.device("cpu"), torch.float64)
    assert noise.fork().part(0, 2).seed() == noise.fork().seed() != noise.fork().part(1, 2).seed()


class Counts(nn.Module):
    """Keeps a mean of its inputs, and a table that does not change."""

    def __init__(self, input_shape, outputs):
        super().__init__()
        self.out = nn.Linear(input_shape[0], outputs)
        self.register_buffer("table", torch.ones(3))
        self.register_buffer("average", torch.zeros(1))

    def forward(self, x):
        if self.training:
            self.average += x.mean()
        return self.out(x)


def said_of(fields):
    study = h.Study(name="no", question="?", recipe=BASE.with_values(fields))
    with pytest.raises(HarnessError) as error:
        check_study(study)
    return str(error.value)


def test_what_processes_cannot_do_as_one_does_is_refused_by_the_plan():
    assert "share evenly, got batches of 32 samples" in said_of({"batch_size": 32, "steps": 2})
    # the last batch of an epoch
    assert "got batches of 15 samples" in said_of(
        {"batch_size": 35 - 5, "epochs": 1, "data.train_size": 105, "processes": 2}
    )
    assert "got norm.0.mean" in said_of({"model": h.MLP(widths=(12,), norm="batch").dump()})
    assert "got average, which" in said_of({"model": {"name": f"{__name__}.Counts"}})


def test_the_plan_says_how_many_processes_there_are():
    study = h.Study(name="many", question="?", recipe=BASE.with_values({"processes": 2}))
    together, why = check_batching(resolve(study.recipe))
    assert not together and "over 2 processes" in why
    assert "processes" not in BASE.with_values({"processes": 1}).dump()


@pytest.mark.slow
def test_the_plan_counts_processes_by_workers():
    study = h.Study(name="many", question="?", recipe=BASE.with_values({"processes": 2}))
    (note,) = plan_study(study, workers=3).notes
    assert "2 processes train each run (recipe.processes), 6 at once with 3 workers" in note
