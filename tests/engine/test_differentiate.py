"""Hand-written derivatives against autograd's in float64, for every method of the interface; both for every model."""

from typing import NamedTuple

import pytest
import torch

import harness as h
from harness.core.noise import Noise
from harness.engine import optimizer_groups, program
from harness.engine.differentiate import Autograd, ByKernel, HandWritten, TrainingPass
from harness.engine.hyperparameters import stack_hyperparameters
from harness.engine.initialize import initial_buffers, initial_weights
from harness.engine.program import program_of
from harness.engine.training_loss import Minibatch
from harness.optimizers.base import Optimizer
from harness.protocol.train import train_outcomes
from harness.spec.resolved import resolve
from tests.cases import MODELS, OPTIMIZERS

IMAGE = {"name": "digits", "image": True}
WRITTEN = {
    **{
        f"{name} MLP": (h.MLP(widths=(11, 11, 5), activation=name, residual=True), "digits")
        for name in ("relu", "tanh", "sigmoid", "identity")
    },
    "MLP without biases": (h.MLP(widths=(11, 5), activation="tanh", bias=False), "digits"),
    "no hidden layer": (h.MLP(widths=()), "digits"),
    "deep linear": MODELS["deep linear"][:2],
    "CNN1D": MODELS["CNN1D"][:2],
    "CNN2D": MODELS["CNN2D"][:2],
    "wide CNN1D": (h.CNN1D(channels=17), {"name": "mnist1d", "channels": True}),
    # whose first taps see nothing but padding
    "kernels wider than their input": (h.CNN2D(channels=(3, 4, 2), kernel=5), IMAGE),
    "even kernels": (h.CNN2D(channels=(3, 4, 2), kernel=4), IMAGE),
}
"""Models with a backward pass of their own."""
ALONE = {name: case for name, case in MODELS.items() if "batch-norm" not in name}
"""Models whose samples don't depend on each other."""
SAMPLES = 12


class Case:
    """Two members of a recipe at their initial weights, a minibatch of soft targets, and both differentiators."""

    def __init__(self, model, data, dropout=0.0, loss=None):
        regularizers = (h.Dropout(rate=dropout),) if dropout else ()
        recipe = h.Recipe(
            data=data,
            model=model,
            loss=loss,
            regularizers=regularizers,
            optimizer=h.SGD(lr=0.1),
            steps=1,
            dtype="float64",
        )
        self.program = program_of(resolve(recipe))
        self.w_KP = initial_weights(self.program, [0, 1])
        self.buffers = initial_buffers(self.program, [0, 1])
        self.hyper = stack_hyperparameters(
            [resolve(recipe)] * 2, torch.device("cpu"), torch.float64
        )
        y = self.program.train.y[: 2 * SAMPLES]
        if y.is_floating_point():  # tokens have no soft targets
            y = 0.9 * y + 0.01
        self.batch = Minibatch(
            self.program.train.x[: 2 * SAMPLES].unflatten(0, (2, SAMPLES)),
            y.unflatten(0, (2, SAMPLES)),
        )
        chosen = self.program.differentiator
        # where this machine has kernels, they leave float64 to PyTorch
        self.chosen = chosen.inner if isinstance(chosen, ByKernel) else chosen
        self.autograd = Autograd(self.program.training_loss)

    def noise(self):
        return Noise([0, 1], 0, torch.device("cpu"), torch.float64)

    def gradient(self, differentiator, record=None):
        return differentiator.gradient(
            self.w_KP, self.buffers, self.batch, self.hyper, self.noise(), record=record
        )

    def gradient_of_one(self, i):
        """The gradient of sample i alone, without noise, by autograd."""
        one = Minibatch(*(part[:, i : i + 1] for part in self.batch))
        hyper = self.hyper.noise_free()
        return self.autograd.gradient(self.w_KP, self.buffers, one, hyper).g_KP


def close(computed, expected, rtol=1e-10):
    assert expected.abs().amax() > 1e-6
    torch.testing.assert_close(computed, expected, rtol=rtol, atol=1e-13)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_hand_written_gradients_equal_autograd(name, dropout):
    case = Case(*WRITTEN[name], dropout * (name not in ("deep linear", "no hidden layer")))
    assert isinstance(case.chosen, HandWritten)
    computed, expected = case.gradient(case.chosen), case.gradient(case.autograd)
    close(computed.loss_K, expected.loss_K)
    close(computed.g_KP, expected.g_KP)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("loss", [h.CrossEntropy(), h.MSE(), h.BCE()], ids=lambda loss: loss.name)
def test_hand_written_hessian_products_equal_autograd(name, loss):
    case = Case(*WRITTEN[name], loss=loss)
    layout = case.program.layout
    drawn = {n: torch.randn_like(w) for n, w in layout.views(case.w_KP).items()}
    v_KP = layout.pack(drawn, case.w_KP)
    computed, expected = (
        d.hessian_product(case.w_KP, case.buffers, case.batch, case.hyper)(v_KP)
        for d in (case.chosen, case.autograd)
    )
    close(computed, expected)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_hand_written_sample_norms_and_grams_equal_autograd(name, dropout):
    case = Case(*WRITTEN[name], dropout * (name not in ("deep linear", "no hidden layer")))
    records = TrainingPass(), TrainingPass()
    for differentiator, record in zip((case.chosen, case.autograd), records, strict=True):
        case.gradient(differentiator, record)
    computed, expected = (
        d.sample_norms(case.w_KP, case.buffers, record, case.hyper)
        for d, record in zip((case.chosen, case.autograd), records, strict=True)
    )
    close(computed, expected)
    grams = [
        d.grams(case.w_KP, case.buffers, case.batch, case.hyper)
        for d in (case.chosen, case.autograd)
    ]
    close(*grams)


@pytest.mark.parametrize("name", MODELS)
def test_every_model_has_every_derivative(name):
    """A model without a backward pass of its own loses speed and no feature."""
    case, record = Case(*MODELS[name][:2]), TrainingPass()
    gradient = case.gradient(case.chosen, record)
    assert gradient.g_KP.shape == case.w_KP.shape
    v_KP = case.program.layout.pack(
        {n: torch.randn_like(w) for n, w in case.program.layout.views(case.w_KP).items()}, case.w_KP
    )
    product = case.chosen.hessian_product(case.w_KP, case.buffers, case.batch, case.hyper)
    shifted = [
        case.chosen.gradient(
            case.w_KP + side * 1e-5 * v_KP, case.buffers, case.batch, case.hyper
        ).g_KP.clone()
        for side in (1, -1)
    ]
    numeric_KP = (shifted[0] - shifted[1]) / 2e-5
    found_KP = product(v_KP)
    # kinks between the two points, of a ReLU for one, are no error: the median coordinate is compared
    error = (found_KP - numeric_KP).abs().median() / numeric_KP.abs().max()
    assert error < 1e-6
    norms_KB = case.chosen.sample_norms(case.w_KP, case.buffers, record, case.hyper)
    grams_KBB = case.chosen.grams(case.w_KP, case.buffers, case.batch, case.hyper)
    singles = torch.stack([case.gradient_of_one(i) for i in range(SAMPLES)], 1)
    close(grams_KBB, singles @ singles.mT)
    if name in ALONE:
        close(norms_KB, singles.square().sum(2))
        close(singles.mean(1), gradient.g_KP, rtol=1e-7)
    else:
        assert norms_KB is None, "a sample alone is another function under batch norm"


def test_norms_of_samples_are_those_of_the_noisy_pass():
    """What dropout drew is handed out once more, as often as it is asked for."""
    case = Case(h.Transformer(patch=8, width=8, depth=1, heads=2), "digits", dropout=0.3)
    record = TrainingPass()
    case.gradient(case.chosen, record)
    noisy = case.chosen.sample_norms(case.w_KP, case.buffers, record, case.hyper)
    again = case.chosen.sample_norms(case.w_KP, case.buffers, record, case.hyper)
    plain = torch.stack([case.gradient_of_one(i).square().sum(1) for i in range(SAMPLES)], 1)
    assert torch.equal(noisy, again)
    assert (noisy / plain - 1).abs().min() > 1e-3


def test_mixed_precision_is_autograd_s():
    recipe = h.Recipe(data="digits", model=h.MLP(), optimizer=h.SGD(lr=0.1), steps=1, amp=True)
    assert isinstance(program_of(resolve(recipe)).differentiator, Autograd)
    norm = recipe.with_values({"amp": False, "model.norm": "layer"})
    assert isinstance(program_of(resolve(norm)).differentiator, Autograd)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_trains_alike_through_both_gradient_paths(name, monkeypatch):
    """Also where large parameters are moved apart, so that gradients have memory of their own."""
    monkeypatch.setattr(optimizer_groups, "APART", 2**12)
    recipe = h.Recipe(
        data=h.Digits(train_size=200),
        model=h.MLP(widths=(64, 16), activation="tanh"),
        optimizer=OPTIMIZERS[name].optimizer,
        batch_size=40,
        epochs=4,
        dtype="float64",
    )

    def trained():
        outcomes = train_outcomes(recipe, [0, 1])
        return [value for o in outcomes for p in o.points for value in p.metrics.values()]

    by_hand = trained()
    monkeypatch.setattr(program, "differentiator_of", lambda loss, _: Autograd(loss))
    by_autograd = trained()
    assert by_hand != by_autograd or "sign" in name.lower() or name == "Lion", (
        "two paths, two roundings"
    )
    assert by_hand == pytest.approx(by_autograd, rel=1e-8, abs=1e-10)


def test_an_optimizer_that_keeps_the_gradient_is_found_by_the_two_paths(monkeypatch):
    """Autograd makes a new gradient each time; a hand-written pass writes over the last one."""
    recipe = h.Recipe(
        data=h.Digits(train_size=200),
        model=h.MLP(widths=(64, 16), activation="tanh"),
        optimizer=KeepsGradient(lr=0.5),
        batch_size=40,
        epochs=4,
        dtype="float64",
    )
    (by_hand,) = train_outcomes(recipe, [0])
    monkeypatch.setattr(program, "differentiator_of", lambda loss, _: Autograd(loss))
    (by_autograd,) = train_outcomes(recipe, [0])
    losses = [o.series("train/loss")[-1] for o in (by_hand, by_autograd)]
    assert abs(losses[0] - losses[1]) > 1e-3


class KeptGradient(NamedTuple):
    last_KP: torch.Tensor


class KeepsGradient(Optimizer):
    """Wrong: θ ← θ − η(2g − g′) with the last gradient g′ itself, whose memory is the next one's."""

    def init(self, w_KP):
        return KeptGradient(torch.zeros_like(w_KP))

    def update(self, g_KP, state, w_KP, hyper, layout):
        return w_KP - hyper["lr"] * (2 * g_KP - state.last_KP), KeptGradient(g_KP)
