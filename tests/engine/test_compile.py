"""Compiled passes: the numbers of autograd, whatever is trained and whoever looks."""

import pytest
import torch
from torch import nn

import harness as h
from harness.core.errors import HarnessError
from harness.core.noise import Noise
from harness.engine.batching import check_batching
from harness.engine.cohort import start
from harness.engine.differentiate import compiled
from harness.engine.loop import advance
from harness.protocol.check import check_study
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.cases import MODELS

BASE = h.Recipe(
    data=h.Digits(train_size=100),
    model=h.MLP(widths=(12, 7), activation="tanh", dropout=0.3),
    optimizer=h.SGD(lr=0.2, momentum=0.9),
    batch_size=50,
    steps=7,
    eval_every=7,
    dtype="float64",
)


class OwnModule(nn.Module):
    """Draws from torch's global generator, and has running statistics."""

    def __init__(self, input_shape, outputs):
        super().__init__()
        self.hidden = nn.Linear(input_shape[0], 8)
        self.norm = nn.BatchNorm1d(8)
        self.out = nn.Linear(8, outputs)

    def forward(self, x):
        return self.out(torch.relu(self.norm(self.hidden(x))))


class Asks(OwnModule):
    """Looks at a number, which no compiler knows."""

    def forward(self, x):
        return super().forward(x) * (2 if float(x.sum()) > 1e9 else 1)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Graphs are made and differentiated as ever, and run without the C++ compiler."""
    monkeypatch.setattr(compiled, "BACKEND", "aot_eager")
    compiled._PASSES.clear()
    yield
    compiled._PASSES.clear()


def weights_after(recipe, steps=2, compile=False):
    recipe = recipe.with_values({"steps": 1000, "eval_every": steps, "compile": compile})
    cohort = advance(start([Run.of(recipe, 3)], test=False), steps)
    return {"w": cohort.w_KP, **cohort.buffers}


def assert_alike(recipe, **close):
    plain, made = weights_after(recipe), weights_after(recipe, compile=True)
    for name, expected in plain.items():
        torch.testing.assert_close(made[name], expected, **close)
    return plain, made


CLOSE = {"rtol": 1e-9, "atol": 1e-12}
SOME = ("batch-norm CNN2D", "transformer", "GPT")


@pytest.mark.slow  # each takes seconds to follow
@pytest.mark.parametrize("name", SOME)
def test_models_have_the_numbers_of_autograd(name):
    case = MODELS[name]
    data = {"name": case.data} if isinstance(case.data, str) else case.data
    values = {"model": case.model.dump(), "data": data | {"train_size": 100}}
    assert_alike(BASE.with_values(values), **CLOSE)


@pytest.mark.parametrize(
    "fields",
    [
        {"model": {"name": f"{__name__}.OwnModule"}, "accumulate": 2},
        {
            "optimizer": {"name": "torch.optim.LBFGS", "lr": 0.1, "max_iter": 2},
            "regularizers": [h.LabelSmoothing(amount=0.1), h.L2(strength=0.1)],
        },
    ],
    ids=str,
)
def test_other_parts_see_the_same_gradient(fields):
    assert_alike(BASE.with_values(fields), **CLOSE)


@pytest.mark.slow
@pytest.mark.parametrize("amp", [True, "fp16"])
def test_lower_precision_is_compiled_too(amp):
    fields = {"dtype": "float32", "amp": amp, "model.dropout": 0.0}
    assert_alike(BASE.with_values(fields), rtol=0.02, atol=0.01)


# what torch's own compiler imports warns
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.slow
def test_the_compiler_itself(monkeypatch):
    monkeypatch.setattr(compiled, "BACKEND", "inductor")
    plain, made = assert_alike(BASE.with_values({"dtype": "float32"}), rtol=1e-4, atol=1e-5)
    assert not torch.equal(plain["w"], made["w"])  # something was compiled


def test_probes_change_nothing_and_see_what_dropped():
    # normalization has no hand-written pass, beside which NoiseScale would take single samples
    recipe = BASE.with_values({"compile": True, "eval_every": 1, "model.norm": "layer"})
    probes = [{"name": n, "every": 1, "unit": "steps"} for n in ("Activations", "NoiseScale")]
    bare, probed = h.train(recipe), h.train(recipe, probes=probes)
    assert probed.curves["batch/loss"].equals(bare.curves["batch/loss"])
    plain = h.train(recipe.with_values({"compile": False}), probes=probes).curves
    names = [name for name in plain if name.startswith(("activation", "noise"))]
    assert len(names) > 3
    for name in names:
        expected = pytest.approx(plain[name].tolist(), rel=1e-6, nan_ok=True)
        assert probed.curves[name].tolist() == expected


@pytest.mark.slow
def test_a_run_that_goes_on_has_the_same_bits():
    # the last batch of an epoch has 20 samples
    recipe = BASE.with_values({"compile": True, "eval_every": 3, "batch_size": 40})
    whole = advance(start([Run.of(recipe, 0)], test=False)).outcomes[0]
    cohort = advance(start([Run.of(recipe, 0)], test=False), 3)
    compiled._PASSES.clear()  # as in another process, where other batches come first
    rest = advance(cohort).outcomes[0]
    assert rest.series("batch/loss") == whole.series("batch/loss")


def test_a_compiled_run_trains_alone_and_has_a_key_of_its_own():
    asked = BASE.with_values({"compile": True})
    assert "compile" not in BASE.dump() and asked.dump()["compile"] is True
    together, why = check_batching(resolve(asked))
    assert not together and "one run alone" in why


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_what_cannot_be_compiled_is_told_by_the_plan(monkeypatch):
    fields = {"model": {"name": f"{__name__}.Asks"}, "compile": True}
    with pytest.raises(HarnessError, match=r"recipe.compile: expected a pass that torch.compile"):
        check_study(h.Study(name="no", question="?", recipe=BASE.with_values(fields)))
    monkeypatch.setattr(compiled, "BACKEND", "inductor")
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", (None, "no-such-compiler"))
    monkeypatch.setattr(torch._inductor.config, "force_disable_caches", True)
    study = h.Study(name="no", question="?", recipe=BASE.with_values({"compile": True}))
    with pytest.raises(
        HarnessError, match=r"and a compiler .*no-such-compiler.* leave out compile"
    ):
        check_study(study)


def test_streams_that_fork_draw_the_same():
    noise = Noise([0, 1], 0, torch.device("cpu"), torch.float64)
    noise.uniform(3)
    other = noise.fork()
    assert torch.equal(other.uniform(4), noise.uniform(4))
    assert torch.equal(other.normal(2), noise.normal(2))
    other.uniform(5)
    assert torch.equal(noise.fork().uniform(2), noise.uniform(2))
