"""All parts of an update live on the program's device: seen without a GPU, on tensors that have a device but no numbers."""

from importlib import import_module

import pytest
import torch
from torch._subclasses import FakeTensorMode
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorDeviceMismatchError

import harness as h
from harness.core import noise
from harness.core.lazy import Lazy
from harness.core.registry import REGISTRY
from harness.engine import hyperparameters, loop, placement, program
from harness.engine.cohort import start
from harness.engine.evaluate import evaluate
from harness.engine.splits import splits_of
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.cases import OPTIMIZERS
from tests.engine.test_cohort import RECIPES, recipe

OPTIMIZER_RECIPES = {
    f"optimizer {name}": recipe(optimizer=case.optimizer) for name, case in OPTIMIZERS.items()
}
CASES = {
    name: spec
    for name, spec in (RECIPES | OPTIMIZER_RECIPES).items()
    if name not in ("torch module", "regularizer mixup")
}
"""Mixup asks its strength back from the device, and other people's modules go through vmap: neither works without numbers."""
NUMBERS = {"Curvature", "Alignment", "Throughput", "Confusion", "Trajectory"}
"""Probes that ask for numbers on the way."""


def getitem(self, index):
    """Index as PyTorch does, whose own way in asks the real device first."""
    items = list(index) if isinstance(index, tuple) else [index]
    if Ellipsis in [i for i in items if not isinstance(i, torch.Tensor)]:
        at = next(n for n, i in enumerate(items) if i is Ellipsis)
        named = sum(i is not None and i is not Ellipsis for i in items)
        items[at : at + 1] = [slice(None)] * (self.ndim - named)
    out, axis, gathered = self, 0, []
    for item in items:
        if item is None:
            out, axis = out.unsqueeze(axis), axis + 1
        elif isinstance(item, slice):
            start, stop, step = item.indices(out.shape[axis])
            out, axis = torch.ops.aten.slice(out, axis, start, stop, step), axis + 1
        elif isinstance(item, int):
            out = out.select(axis, item)
        else:
            item = item if isinstance(item, torch.Tensor) else torch.tensor(item)
            gathered += [None] * (axis - len(gathered)) + [item]
            axis += 1 if item.dtype != torch.bool else item.ndim
    return torch.ops.aten.index(out, gathered) if gathered else out


@pytest.fixture
def pretended(monkeypatch):
    """A GPU whose tensors have no numbers; what NumPy gives lies on the CPU until it is moved."""
    mode = FakeTensorMode()

    def from_numpy(array):
        return torch.empty(array.shape, dtype=getattr(torch, str(array.dtype)))

    def as_tensor(array, dtype=None, device=None):
        return from_numpy(array).to(device or "cpu", dtype)

    # what is looked up now must not be kept for later tests
    monkeypatch.setattr(
        Lazy, "__getattr__", lambda self, name: getattr(import_module(self._module), name)
    )
    monkeypatch.setattr(torch, "from_numpy", from_numpy)
    monkeypatch.setattr(torch, "as_tensor", as_tensor)
    # autograd asks the real device for its streams: its gradients are pretended too
    monkeypatch.setattr(torch.Tensor, "requires_grad_", lambda self, *_: self)
    monkeypatch.setattr(
        torch.autograd, "grad", lambda outputs, inputs, *_, **__: (torch.zeros_like(inputs),)
    )
    monkeypatch.setattr(FakeTensor, "__getitem__", getitem, raising=False)
    monkeypatch.setattr(
        FakeTensor,
        "__setitem__",
        lambda self, i, value: getitem(self, i).copy_(value),
        raising=False,
    )

    def copy(self, value):
        return torch.ops.aten.copy_(self, value)

    monkeypatch.setattr(FakeTensor, "copy_", copy, raising=False)
    contiguous = torch.contiguous_format
    monkeypatch.setattr(
        FakeTensor, "contiguous", lambda self: self.clone(memory_format=contiguous), raising=False
    )
    monkeypatch.setattr(noise, "_generator", lambda *_: None)
    monkeypatch.setattr(placement, "resolve_device", lambda _: torch.device("cuda:0"))
    for cached in (placement.place, placement.place_in_a_row):
        cached.cache_clear()
    with mode:
        yield
    for cached in (placement.place, placement.place_in_a_row):
        cached.cache_clear()


def updates(spec, probes=()):
    members = start([Run.of(spec, seed, tuple(probes)) for seed in range(3)], test=True)
    made = program.program_of(resolve(spec))
    trained = loop.train_interval(made, members, 3)
    recipes = [m.run.recipe for m in members.members]
    hyper = hyperparameters.stack_hyperparameters(recipes, made.device, made.dtype)
    return members, trained, evaluate(made, members.w_KP, members.buffers, hyper, made.valid)


@pytest.mark.parametrize("name", CASES)
def test_an_update_and_an_evaluation_stay_on_the_device(name, pretended):
    members, trained, metrics = updates(CASES[name])
    assert members.done == 3
    assert {members.w_KP.device.type, *(b.device.type for b in members.buffers.values())} == {
        "cuda"
    }
    assert {value.device.type for value in metrics.values()} == {"cuda"}
    assert trained.losses_SK.device.type == "cpu"


def test_members_on_several_splits_stay_on_the_device(pretended):
    spec = recipe(model=h.MLP(widths=(9, 9), norm="batch"), regularizers=[h.Dropout(rate=0.2)])
    probes = h.Study(
        name="x",
        recipe=spec,
        probes=[
            {"name": name, "every": 1, "unit": "steps"}
            for name in ("Calibration", "GeneralizationGap", "NoiseScale")
        ],
    ).probes
    runs = [Run.of(spec.with_values({"data.split": k}), 0, tuple(probes)) for k in (0, 3, 0)]
    members, made = start(runs, test=True), program.program_of(runs[0].recipe)
    trained = loop.train_interval(made, members, 3)
    recipes = [run.recipe for run in runs]
    hyper = hyperparameters.stack_hyperparameters(recipes, made.device, made.dtype)
    metrics = splits_of(made, recipes).measure(
        members.w_KP,
        members.buffers,
        hyper,
        lambda split, *own: evaluate(split.program, *own, split.train_sample),
    )
    assert members.done == 3 and members.w_KP.device.type == "cuda"
    assert {probed.values_VK.device.type for probed in trained.probed.values()} == {"cuda"}
    assert {value.device.type for value in metrics.values()} == {"cuda"}


@pytest.mark.parametrize("name", sorted(set(REGISTRY["probe"].parts) - NUMBERS))
@pytest.mark.parametrize(
    "model",
    [h.MLP(widths=(12, 7)), h.MLP(widths=(9, 9), norm="batch")],
    ids=["written out", "autograd"],
)
def test_probes_stay_on_the_device(name, model, pretended):
    spec = recipe(model=model)
    probe = h.Study(
        name="x", recipe=spec, probes=[{"name": name, "every": 1, "unit": "steps"}]
    ).probes
    _, trained, _ = updates(spec, probe)
    assert {probed.values_VK.device.type for probed in trained.probed.values()} <= {"cuda"}
    assert trained.probed or trained.arrays or name == "LossSlice"


def test_a_tensor_left_on_the_cpu_is_found(pretended, monkeypatch):
    monkeypatch.setattr(
        loop,
        "stack_hyperparameters",
        lambda recipes, _, dtype: hyperparameters.stack_hyperparameters(recipes, "cpu", dtype),
    )
    with pytest.raises(FakeTensorDeviceMismatchError):
        updates(CASES["momentum"])
