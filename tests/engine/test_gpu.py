"""Every kind of recipe on a GPU: its numbers are those of the CPU but for the order of sums."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import harness as h
from harness.execution.checkpoints import Saving
from harness.execution.jobs import Job, perform
from harness.models.external import generator_states, global_stream
from harness.spec.arms import Run

DEVICE = "cuda"
BASE = h.Recipe(
    data=h.Digits(train_size=200),
    model=h.MLP(widths=(12,)),
    optimizer=h.SGD(lr=0.1, momentum=0.9),
    batch_size=50,
    steps=12,
    eval_every=6,
)
LANGUAGE = {
    "data": h.Markov(symbols=6, order=1, context=16),
    "model": h.GPT(layers=1, width=16, heads=2, dropout=0.1),
    "batch_size": 32,
    "metrics": ["perplexity"],
}
STREAMED = {"name": "tests.data.given_streams.parts", "stream": {"workers": 2}}


class Two(nn.Module):
    """Two inputs, by their names."""

    def __init__(self):
        super().__init__()
        self.of_ids, self.of_age, self.out = nn.Embedding(9, 6), nn.Linear(1, 6), nn.Linear(6, 3)

    def forward(self, ids, age):
        return self.out(torch.relu(self.of_ids(ids).mean(1) + self.of_age(age)))


def two_inputs():
    ids = np.random.default_rng(0).integers(0, 9, (200, 5))
    return {"ids": ids, "age": ids.mean(1, keepdims=True).astype("float32")}, ids[:, 0] % 3


CASES = {
    "GPT with Muon": LANGUAGE | {"optimizer": h.Muon(lr=0.02, adam_lr=0.01)},
    "GPT with rotary positions": LANGUAGE
    | {"model": h.GPT(layers=1, width=16, heads=2, positions="rotary", tied=True)},
    "induction, whose targets are partly ignored": LANGUAGE | {"data": h.Induction(context=16)},
    "several inputs": {"data": two_inputs, "model": Two},
    "streamed data": {"data": STREAMED, "model": h.Linear(), "batch_size": 20},
    "another library's optimizer and schedule": {
        "optimizer": partial(torch.optim.AdamW, lr=0.01),
        "schedule": partial(torch.optim.lr_scheduler.StepLR, step_size=1),
    },
    "module with draws and running statistics": {"model": {"name": "tests.plugins.Noisy"}},
    "torch's loss, made already": {"loss": nn.CrossEntropyLoss(weight=torch.ones(10))},
    "class weights": {"loss": h.CrossEntropy(weight="balanced")},
    "augmentation": {
        "data": h.Digits(image=True, train_size=200),
        "regularizers": [h.RandomCrop(padding=1), h.HorizontalFlip(), h.Cutout(size=3)],
    },
    "micro-batches": {"accumulate": 2},
    "average": {"average": h.EMA(decay=0.9)},
    "muP": {"parametrization": "mup", "model": h.MLP(widths=(32, 32))},
    "schedule of samples": {"schedule": h.WarmUp(length="200 samples", then="cosine")},
    "metrics over whole parts": {
        "metrics": ["f1", "auroc", "mcc", "tests.metrics.given.share_right"]
    },
    "bfloat16": {"amp": True},
    "float16": {"amp": "fp16"},
}
DRAWING = ("module with draws and running statistics",)
"""Draws of its own come of the device's generator, and so others on each."""

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"),
]


def trained(recipe, **job):
    done = perform(Job((0,), (Run.of(recipe, 0),), test=True, **job))
    assert not done.error, done.error
    return done


def summary(done):
    return {n: v for n, v in done.outcomes[0].summary.items() if n != "cost/seconds"}


@pytest.mark.parametrize("name", CASES)
def test_its_numbers_are_those_of_the_cpu(name):
    recipe = BASE.with_values(CASES[name])
    cpu, gpu = (
        summary(trained(recipe.with_values({"device": device}))) for device in ("cpu", DEVICE)
    )
    assert gpu.keys() == cpu.keys()
    if name not in DRAWING:
        assert gpu["train/loss"] == pytest.approx(cpu["train/loss"], rel=0.02)
        assert gpu["test/loss"] == pytest.approx(cpu["test/loss"], rel=0.02)


@pytest.mark.parametrize("name", ["GPT with Muon", "streamed data", "float16", *DRAWING])
def test_a_run_that_goes_on_from_a_checkpoint_goes_on_there(name, tmp_path):
    recipe = BASE.with_values(CASES[name] | {"device": DEVICE})
    saving = Saving(tmp_path / "job", 0.0)
    whole = trained(recipe, saving=saving)
    # the last checkpoint was written before the last update
    again = trained(recipe, saving=saving._replace(every=1e9))
    assert again.notes == ()
    assert summary(again) == pytest.approx(summary(whole), rel=1e-3)


# what torch's own compiler imports warns
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_passes_have_the_numbers_of_autograd():
    recipe = BASE.with_values({"device": DEVICE})
    plain, made = (summary(trained(recipe.with_values({"compile": c}))) for c in (False, True))
    assert made["test/loss"] == pytest.approx(plain["test/loss"], rel=0.02)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="one GPU for each process")
def test_processes_with_a_gpu_each_share_a_run():
    recipe = BASE.with_values({"device": DEVICE})
    one, two = (summary(trained(recipe.with_values({"processes": n}))) for n in (1, 2))
    assert two["test/loss"] == pytest.approx(one["test/loss"], rel=0.02)


def test_draws_of_the_gpu_s_generator_are_seen_and_put_back():
    """A module that draws there would share its draws with a cohort without a word."""
    torch.zeros(1, device=DEVICE)
    before = generator_states()
    with global_stream(3):
        first = torch.rand(2, device=DEVICE)
        assert generator_states() != before
    assert generator_states() == before
    with global_stream(3):
        assert torch.equal(torch.rand(2, device=DEVICE), first)


def test_weights_that_are_kept_are_read_without_a_gpu(tmp_path):
    recipe = BASE.with_values({"device": DEVICE})
    kept = trained(recipe, keep="last").outcomes[0].weights
    assert kept and all(isinstance(array, np.ndarray) for array in kept.values())


def test_a_loop_of_one_s_own_is_told_the_device():
    recipe = h.Recipe(trainer="tests.trainers.loops.tells_device", steps=2)
    assert h.train(recipe).runs["valid/on_gpu"].tolist() == [1.0]
