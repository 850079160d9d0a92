"""The compiled gradient of networks against autograd's in float64, and the contracts of a run trained by it."""

import pickle

import pytest
import torch

import harness as h
from harness.core import kernels
from harness.core.noise import Noise
from harness.core.tokens import IGNORED
from harness.engine.cohort import start
from harness.engine.differentiate import Autograd, ByKernel, kernel_of
from harness.engine.evaluate import evaluate
from harness.engine.hyperparameters import stack_hyperparameters
from harness.engine.initialize import initial_weights
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.engine.several_updates import SeveralUpdates
from harness.engine.training_loss import Minibatch
from harness.execution.jobs import Job, perform
from harness.models.base import Context
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.kernels import compiled_here

compiled = pytest.fixture(scope="module", autouse=True)(compiled_here)


def recipe_of(model, **fields):
    given = {"data": "digits", "optimizer": h.SGD(lr=0.1, momentum=0.9), "steps": 3}
    return h.Recipe(**{**given, "model": model, **fields})


def drawn(recipe, samples):
    """Two members' weights, biases among them, and a minibatch, of soft targets where they are no tokens."""
    program = program_of(resolve(recipe))
    w_KP = initial_weights(program, [0, 1])
    generator = torch.Generator().manual_seed(0)
    # biases begin at 0; matrices are left as they are drawn, where float32 is exact to the tolerance
    for b in (w for w in program.layout.views(w_KP).values() if w.ndim == 2):
        b.add_(torch.rand(b.shape, generator=generator) * 0.1)
    train = program.train
    x, y = (part[: 2 * samples].unflatten(0, (2, samples)) for part in (train.x, train.y))
    # copies, which a test may write into
    return (
        program,
        w_KP,
        Minibatch(x.clone(), 0.9 * y + 0.01 if y.is_floating_point() else y.clone()),
    )


def hyper_of(program, members):
    return stack_hyperparameters([program.recipe] * members, program.device, program.dtype)


def sentences(symbols, context, **fields):
    """A recipe's fields of data of so many tokens in all and in a sample, as many samples as digits has."""
    data = h.Markov(symbols=symbols, order=1, context=context, samples=1797)
    return {"data": data, **fields}


PICTURES = {"data": {"name": "digits", "image": True}}
MODELS = {
    "rectified": (h.MLP(widths=(64, 64)), {}),
    "no whole vectors": (h.MLP(widths=(11, 37, 5)), {"data": "mnist1d"}),
    "no biases": (h.MLP(widths=(24,), bias=False), {}),
    "no hidden layer": (h.MLP(widths=()), {}),
    "no nonlinearity": (h.MLP(widths=(20, 12), activation="identity"), {}),
    "linear": (h.DeepLinear(width=20, depth=2), {}),
    "pictures": (h.MLP(widths=(20,)), {"data": {"name": "digits", "image": True}}),
    "convolutions": (h.CNN1D(channels=25), {"data": {"name": "mnist1d", "channels": True}}),
    "one convolution": (h.CNN2D(channels=(3,), kernel=2), PICTURES),
    "pooled": (h.CNN2D(channels=(16, 9)), PICTURES),
    "wide kernels": (h.CNN2D(channels=(5, 18), kernel=5), PICTURES),
    "GPT": (h.GPT(layers=2, width=32, heads=2), sentences(5, 16)),
    "no whole vectors of tokens": (
        h.GPT(layers=1, width=20, heads=2, tied=False),
        sentences(18, 21),
    ),
    "rotary": (h.GPT(layers=1, width=24, heads=3, positions="rotary"), sentences(7, 5)),
    "rotary and untied": (
        h.GPT(layers=2, width=16, heads=1, positions="rotary", tied=False),
        sentences(35, 3),
    ),
    "muP": (
        h.GPT(layers=1, width=16, heads=2),
        sentences(6, 4, parametrization="mup", base_width=4),
    ),
}
"""What the kernel computes."""


def gradient_of(differentiator, recipe, w_KP, batch, dtype):
    """The gradient of two members in a precision."""
    hyper = stack_hyperparameters([resolve(recipe)] * 2, torch.device("cpu"), dtype)
    noise = Noise([0, 1], 0, torch.device("cpu"), dtype)
    given = Minibatch(*(part.to(dtype) if part.is_floating_point() else part for part in batch))
    return differentiator.gradient(w_KP.to(dtype), {}, given, hyper, noise)


@pytest.mark.parametrize("rate", [0.0, 0.3])
@pytest.mark.parametrize("samples", [32, 1, 7, 50])
@pytest.mark.parametrize("name", MODELS)
def test_the_compiled_gradient_is_autograd_s_in_float64(name, samples, rate):
    model, fields = MODELS[name]
    drops = rate and not isinstance(model, h.DeepLinear) and getattr(model, "widths", True)
    regularizers = (h.Dropout(rate=rate),) if drops else ()
    recipe = recipe_of(model, **fields, regularizers=regularizers)
    program, w_KP, batch = drawn(recipe, samples)
    assert isinstance(program.differentiator, ByKernel)
    computed = gradient_of(program.differentiator, recipe, w_KP, batch, torch.float32)
    expected = gradient_of(Autograd(program.training_loss), recipe, w_KP, batch, torch.float64)
    for ours, theirs in ((computed.loss_K, expected.loss_K), (computed.g_KP, expected.g_KP)):
        assert theirs.abs().amax() > 1e-3
        torch.testing.assert_close(ours.double(), theirs, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", MODELS)
def test_the_compiled_evaluation_is_that_of_float64(name):
    model, fields = MODELS[name]
    # what dropout would draw is no part of an evaluation
    program, w_KP, _ = drawn(recipe_of(model, **fields), 32)
    assert kernel_of(program.differentiator) is not None
    # a class's bias apart from the others, so that no output is as large as another by rounding
    w_KP += torch.linspace(0, 0.01, w_KP.shape[1])
    part = program.train.at(torch.arange(0, 1037))  # more than a piece, and no whole vectors
    computed = evaluate(program, w_KP, {}, hyper_of(program, 2), part)
    params = program.layout.views(w_KP.double())
    x, y = (p.double() if p.is_floating_point() else p for p in part[:2])
    out_KND = program.network(params, x[None], Context())
    classes = (y.argmax(1) if y.is_floating_point() else y).flatten()
    for k, out_ND in enumerate(out_KND.flatten(1, -2)):
        loss = torch.nn.functional.cross_entropy(out_ND, classes)
        assert computed["loss"][k].item() == pytest.approx(loss.item(), rel=1e-6)
        assert computed["accuracy"][k] == (out_ND.argmax(1) == classes).double().mean()


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_tokens_that_are_left_out_count_nowhere_and_targets_are_smoothed(smoothing):
    smoothed = (h.LabelSmoothing(amount=smoothing),) if smoothing else ()
    recipe = recipe_of(*MODELS["rotary and untied"][:1], **sentences(35, 3), regularizers=smoothed)
    program, w_KP, batch = drawn(recipe, 5)
    batch.y_KBD[0, :, 1] = IGNORED
    batch.y_KBD[1] = IGNORED  # nothing counts
    computed = gradient_of(program.differentiator, recipe, w_KP, batch, torch.float32)
    expected = gradient_of(Autograd(program.training_loss), recipe, w_KP, batch, torch.float64)
    torch.testing.assert_close(computed.loss_K.double(), expected.loss_K, rtol=2e-5, atol=0)
    torch.testing.assert_close(computed.g_KP.double(), expected.g_KP, rtol=2e-5, atol=2e-6)
    assert not computed.g_KP[1].any()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 0.0])
def test_tokens_of_which_some_are_left_out_are_evaluated_as_by_pytorch(value, monkeypatch):
    recipe = recipe_of(h.GPT(layers=1, width=8, heads=2, tied=False), **sentences(20, 5))
    program, w_KP, _ = drawn(recipe, 32)
    views, norm = program.layout.views(w_KP), program.network.norm.name
    # the last norm puts out (1, 0, …), and the logits are a column of the output's weights
    for name, first in ((f"{norm}.weight", 0.0), (f"{norm}.bias", 1.0)):
        views[name].zero_()[:, 0] = first
    logits = torch.zeros(20)
    logits[[1, 3, 7]], logits[[2, 4, 17]] = 1.0, value
    views[program.network.out.w].zero_()[0, :, 0] = logits
    hyper = hyper_of(program, 2)
    part = program.valid._replace(y=program.valid.y.masked_fill(torch.arange(5) == 2, IGNORED))
    computed = evaluate(program, w_KP, {}, hyper, part)
    monkeypatch.setattr("harness.engine.evaluate.kernel_of", lambda _: None)
    expected = evaluate(program, w_KP, {}, hyper, part)
    assert torch.equal(computed["accuracy"], expected["accuracy"])
    torch.testing.assert_close(computed["loss"], expected["loss"], equal_nan=True)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 0.0])
def test_outputs_that_are_no_numbers_or_equal_count_as_pytorch_counts_them(value, monkeypatch):
    program, w_KP, _ = drawn(recipe_of(h.MLP(widths=(8,))), 32)
    views = program.layout.views(w_KP)
    w, b = program.network.out.w, program.network.out.b
    views[w][0] = 0.0
    views[b][0] = torch.tensor([0.0, 1.0, value, 1.0, value, 0.5, 0.0, 1.0, 0.0, 0.0])
    hyper = hyper_of(program, 2)
    computed = evaluate(program, w_KP, {}, hyper, program.valid)
    monkeypatch.setattr("harness.engine.evaluate.kernel_of", lambda _: None)
    expected = evaluate(program, w_KP, {}, hyper, program.valid)
    assert torch.equal(computed["accuracy"], expected["accuracy"])
    torch.testing.assert_close(computed["loss"], expected["loss"], equal_nan=True)


def test_other_metrics_are_measured_by_pytorch():
    recipe = recipe_of(h.MLP(widths=(8,)), metrics=("f1",), steps=2, eval_every=1)
    (outcome,) = train_outcomes(recipe, [0])
    assert "valid/f1" in outcome.points[-1].metrics


def test_others_are_left_to_pytorch():
    others = [
        recipe_of(h.MLP(widths=(8,), activation="tanh")),
        recipe_of(h.MLP(widths=(8, 8), residual=True)),
        recipe_of(h.MLP(widths=(1024, 1025))),
        recipe_of(h.CNN2D(channels=(4,)), loss=h.MSE(), **PICTURES),
        recipe_of(h.MLP(widths=(8,)), loss=h.MSE()),
        recipe_of(h.MLP(widths=(8,)), loss=h.CrossEntropy(weight="balanced")),
        recipe_of(h.GPT(width=8), **sentences(5, 3), loss=h.CrossEntropy(weight="balanced")),
        recipe_of(h.GPT(width=1024, layers=1), **sentences(5, 3)),
    ]
    for recipe in others:
        assert kernel_of(program_of(resolve(recipe)).differentiator) is None
    # a precision that is no kernel's
    recipe = recipe_of(h.GPT(width=8), **sentences(5, 3), dtype="float64")
    train_outcomes(recipe, [0])


def test_tokens_that_the_tables_do_not_have_are_refused_as_by_pytorch():
    program, w_KP, batch = drawn(recipe_of(h.GPT(width=8), **sentences(5, 3)), 4)
    batch.x_KB[1, 2, 0] = 5
    with pytest.raises(IndexError):
        program.differentiator.gradient(w_KP, {}, batch, hyper_of(program, 2))


@pytest.mark.parametrize(
    "model, fields",
    [
        (h.MLP(widths=(30, 20)), {}),
        (h.CNN2D(channels=(4, 6)), PICTURES),
        (h.GPT(width=24), sentences(5, 6)),
    ],
)
def test_a_member_has_the_same_bits_alone_and_beside_one_that_drops(model, fields):
    recipe = recipe_of(model, **fields, batch_size=32)
    program, w_KP, batch = drawn(recipe, 32)
    cpu = torch.device("cpu")

    def gradient(rows, rates):
        models = [model.model_copy(update={"dropout": rate}) for rate in rates]
        members = [resolve(recipe_of(own, **fields)) for own in models]
        hyper = stack_hyperparameters(members, cpu, torch.float32)
        given = Minibatch(*(part[rows] for part in batch))
        noise = Noise([0, 1][rows], 0, cpu, torch.float32)
        return program.differentiator.gradient(w_KP[rows].clone(), {}, given, hyper, noise)

    both, alone = gradient(slice(0, 2), (0.0, 0.5)), gradient(slice(0, 1), (0.0,))
    assert torch.equal(both.g_KP[:1], alone.g_KP)
    assert torch.equal(both.loss_K[:1], alone.loss_K)


OPTIMIZERS = {
    "plain": h.SGD(lr=0.1),
    "momentum": h.SGD(lr=0.1, momentum=0.9),
    "Nesterov": h.SGD(lr=0.1, momentum=0.8, nesterov=True),
    "Adam": h.Adam(lr=0.01),
    "Adam as it is": h.Adam(lr=0.001, bias_correction=False),
    "AdamW": h.AdamW(lr=0.01, weight_decay=0.1),
    "AdamW on all": h.AdamW(lr=0.01, weight_decay=0.1, exempt=()),
}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"model": h.MLP(widths=(30, 20), dropout=0.2)},
        {"drop_last": True, "schedule": {"name": "Cosine"}},
        # velocities in blocks of their own
        {"model": h.MLP(widths=(300, 300))},
        {"model": h.CNN2D(channels=(4, 6)), **PICTURES},
        {"model": h.GPT(layers=1, width=12, dropout=0.2), **sentences(5, 3)},
        {"regularizers": [h.WeightDecay(rate=0.3)], "schedule": {"name": "Cosine"}},
        {
            "model": h.MLP(widths=(300, 300)),
            "regularizers": [h.WeightDecay(rate=0.3, exempt=()), h.EarlyStopping(patience=5)],
        },
    ],
    ids=["plain", "dropout", "schedule", "blocks", "pictures", "tokens", "decay", "decay of all"],
)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_several_updates_at_once_have_the_bits_of_one_by_one_and_probes_change_none(
    optimizer, fields, monkeypatch
):
    given = {"model": h.MLP(widths=(30, 20)), "batch_size": 48, "steps": 60, "eval_every": 20}
    recipe = recipe_of(**given | fields | {"optimizer": OPTIMIZERS[optimizer]})
    made = []
    at_once = SeveralUpdates.make
    monkeypatch.setattr(
        SeveralUpdates,
        "make",
        lambda self, step, n, noise: made.append(n) or at_once(self, step, n, noise),
    )
    plain = train_outcomes(recipe, [0, 1])
    # epochs of 24 updates, 23 without the last: up to their ends and to the evaluations
    expected = [20, 3, 17, 6, 14] if "drop_last" in fields else [20, 4, 16, 8, 12]
    assert made == expected
    probed = train_outcomes(recipe, [0, 1], probes=(h.GradientNorm(every=1, unit="steps"),))
    for one, other in zip(probed, plain, strict=True):
        seen = {point.step: point.metrics for point in one.points}
        for point in other.points:
            assert point.metrics.items() <= seen[point.step].items()


def test_members_of_several_optimizers_and_splits_train_as_alone():
    recipes = [
        recipe_of(
            h.MLP(widths=(30, 20)),
            optimizer=optimizer,
            data={"name": "digits", "split": split},
            steps=30,
        )
        for split, optimizer in enumerate(OPTIMIZERS.values())
    ]
    runs = tuple(Run(resolve(recipe), seed) for seed, recipe in enumerate(recipes))
    together = perform(Job(tuple(range(len(runs))), runs, test=False))
    for place, run in enumerate(runs):
        alone = perform(Job((0,), (run,), test=False))
        one, other = (done.outcomes[i].points for done, i in ((together, place), (alone, 0)))
        assert one[-1].metrics == other[-1].metrics


@pytest.mark.parametrize("optimizer", ["momentum", "AdamW"])
def test_a_run_goes_on_from_between_two_calls_to_the_same_bits(optimizer):
    fields = {"steps": 200, "eval_every": 100, "batch_size": 32}
    recipe = recipe_of(h.MLP(widths=(30, 20)), optimizer=OPTIMIZERS[optimizer], **fields)
    saved = []
    runs = [Run(resolve(recipe), seed) for seed in (0, 1)]
    whole = advance(
        start(runs, test=False), between=lambda cohort: saved.append(pickle.dumps(cohort))
    )
    assert saved
    for state in saved:
        again = advance(pickle.loads(state))
        assert [o.points[-1].metrics for o in again.outcomes.values()] == [
            o.points[-1].metrics for o in whole.outcomes.values()
        ]


def test_a_machine_without_kernels_trains_by_pytorch(monkeypatch, tmp_path):
    recipe = recipe_of(h.MLP(widths=(30, 20)), steps=20, eval_every=10)
    (compiled,) = train_outcomes(recipe, [0])
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    kernels.look_again()
    assert kernels.version() == "none"
    (pure,) = train_outcomes(recipe, [0])
    kernels.look_again()
    for one, other in zip(compiled.points, pure.points, strict=True):
        assert one.metrics == pytest.approx(other.metrics, rel=1e-4)
    # another form, and not the same one under two names
    assert compiled.points[-1].metrics != pure.points[-1].metrics


def test_another_library_s_optimizer_is_left_to_it():
    losses = [
        train_outcomes(recipe_of(h.MLP(widths=(30, 20)), steps=20, optimizer=optimizer), [0])[0]
        .points[-1]
        .metrics["train/loss"]
        for optimizer in (h.ExternalOptimizer("torch.optim.SGD", lr=0.1), h.SGD(lr=0.1))
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
