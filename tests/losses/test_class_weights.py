"""Weights of classes: torch's weighted mean in float64, balanced as scikit-learn has it, on the training part alone."""

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch.nn import functional

import harness as h
from harness.core.errors import HarnessError
from harness.data.base import Data, load_data
from harness.engine.cohort_key import cohort_key
from harness.engine.differentiate import Autograd, HandWritten
from harness.engine.differentiate.base import TrainingPass
from harness.engine.evaluate import evaluate
from harness.engine.hyperparameters import stack_hyperparameters
from harness.engine.initialize import initial_weights
from harness.engine.program import program_of
from harness.engine.training_loss import Minibatch
from harness.losses.base import Loss
from harness.models.base import Context
from harness.protocol.train import train
from harness.spec.arms import Run
from harness.spec.recipe import Recipe
from harness.spec.resolved import resolve
from tests.engine.test_cohort import assert_same, outcomes

W = (0.5, 2.0, 0.0, 3.5)
STREAM = torch.Generator().manual_seed(0)
OUT = 3 * torch.randn(2, 9, 4, generator=STREAM, dtype=torch.float64)
CLASSES = torch.randint(0, 4, (2, 9), generator=STREAM)
ONE_HOT = functional.one_hot(CLASSES, 4).double()


def hyper_of(loss, *weights, name="weight"):
    return {name: torch.tensor(weights, dtype=torch.float64)}


def test_cross_entropy_is_torch_s_weighted_mean():
    loss, other = h.CrossEntropy(weight=W), (1.0, 1.0, 2.0, 0.3)
    hyper = hyper_of(loss, W, other)
    leaf = OUT.clone().requires_grad_()
    expected = torch.stack(
        [
            functional.cross_entropy(
                leaf[k], CLASSES[k], weight=torch.tensor(w, dtype=torch.float64)
            )
            for k, w in enumerate((W, other))
        ]
    )
    expected.sum().backward()
    mean = loss.mean(OUT, ONE_HOT, hyper)
    value, gradient = loss.value_and_gradient(OUT.clone(), ONE_HOT, hyper)
    assert torch.allclose(mean, expected, rtol=1e-12, atol=0) and torch.allclose(
        value, expected, rtol=1e-12, atol=0
    )
    assert torch.allclose(gradient, leaf.grad, rtol=1e-12, atol=1e-14)
    # the reference of the contract: autograd of the mean
    _, plain = Loss.value_and_gradient(loss, OUT.clone(), ONE_HOT, hyper)
    assert torch.allclose(plain, leaf.grad, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_tokens_are_torch_s_weighted_mean(smoothing):
    loss = h.CrossEntropy(weight=W)
    out = 2 * torch.randn(1, 3, 5, 4, generator=STREAM, dtype=torch.float64)
    y = torch.randint(0, 4, (1, 3, 5), generator=STREAM)
    y[0, 1, 2:] = -100
    hyper = hyper_of(loss, W) | (
        {"smoothing": torch.tensor([smoothing], dtype=torch.float64)} if smoothing else {}
    )
    expected = functional.cross_entropy(
        out.flatten(0, 2),
        y.flatten(),
        weight=torch.tensor(W, dtype=torch.float64),
        label_smoothing=smoothing,
    )
    assert torch.allclose(loss.mean(out, y, hyper)[0], expected, rtol=1e-12, atol=0)


def test_a_batch_of_classes_that_count_nothing_has_the_loss_0():
    loss = h.CrossEntropy(weight=(0.0, 1.0, 1.0, 1.0))
    y = functional.one_hot(torch.zeros(1, 9, dtype=torch.long), 4).double()
    value, gradient = loss.value_and_gradient(OUT[:1].clone(), y, hyper_of(loss, loss.weight))
    assert float(value) == 0 and not gradient.any()
    assert float(loss.mean(OUT[:1], y, hyper_of(loss, loss.weight))) == 0


def test_binary_cross_entropy_is_torch_s_with_pos_weight():
    loss, p = h.BCE(pos_weight=W), torch.tensor(W, dtype=torch.float64)
    y = torch.rand(2, 9, 4, generator=STREAM, dtype=torch.float64)
    hyper = hyper_of(loss, W, W, name="pos_weight")
    expected = functional.binary_cross_entropy_with_logits(OUT[0], y[0], pos_weight=p)
    assert torch.allclose(loss.mean(OUT, y, hyper)[0], expected, rtol=1e-12, atol=0)


def rare(split=0, **options):
    """One class in eight, and no stratified split: its share differs from split to split."""
    return Data.parse({"name": "tests.data.given.unbalanced", "split": split, **options})


@pytest.mark.parametrize("split", range(3))
def test_balanced_is_scikit_learn_s_over_the_training_part(split):
    data = rare(split)
    classes = load_data(data).train.y.argmax(1)
    expected = compute_class_weight("balanced", classes=np.arange(2), y=classes)
    recipe = recipe_of(h.CrossEntropy(weight="balanced"), data)
    hyper = stack_hyperparameters([recipe], torch.device("cpu"), torch.float64)
    assert np.allclose(hyper.loss["weight"][0], expected, rtol=1e-12, atol=0)
    ones = classes.sum()
    recipe = recipe_of(h.BCE(pos_weight="balanced"), data)
    hyper = stack_hyperparameters([recipe], torch.device("cpu"), torch.float64)
    assert np.allclose(
        hyper.loss["pos_weight"][0], [ones / (len(classes) - ones), (len(classes) - ones) / ones]
    )


def recipe_of(loss, data, **fields):
    given = {
        "model": h.MLP(widths=(6,)),
        "optimizer": h.SGD(lr=0.2),
        "epochs": 2,
        "dtype": "float64",
    }
    return resolve(Recipe(data=data, loss=loss, **{**given, **fields}))


@pytest.mark.parametrize(
    "loss", [h.CrossEntropy(weight="balanced"), h.BCE(pos_weight="balanced")], ids=["CE", "BCE"]
)
def test_members_on_other_splits_have_their_own_weights(loss):
    runs = [Run.of(recipe_of(loss, rare(split)), seed) for seed, split in enumerate((0, 1, 2))]
    assert len({cohort_key(run.recipe) for run in runs}) == 1
    for together, run in zip(outcomes(runs), runs, strict=True):
        assert_same(together, outcomes([run])[0])


def test_what_is_evaluated_is_what_is_trained():
    recipe = recipe_of(h.CrossEntropy(weight="balanced"), rare())
    program = program_of(recipe)
    w_KP = initial_weights(program, [0])
    hyper = stack_hyperparameters([recipe], program.device, program.dtype)
    out = program.network(program.layout.views(w_KP), program.valid.x[None], Context())
    classes, weight = program.valid.y.argmax(-1), hyper.loss["weight"][0]
    expected = functional.cross_entropy(out[0], classes, weight=weight)
    got = evaluate(program, w_KP, {}, hyper, program.valid)["loss"][0]
    assert torch.allclose(got, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("kind", [Autograd, HandWritten])
def test_gradients_of_single_samples_have_the_batch_s_as_their_mean(kind):
    recipe = recipe_of(h.CrossEntropy(weight="balanced"), rare())
    program = program_of(recipe)
    w_KP = initial_weights(program, [0])
    hyper = stack_hyperparameters([recipe], program.device, program.dtype)
    batch = Minibatch(program.train.x[None, :24], program.train.y[None, :24])
    loss = program.training_loss
    differentiator = Autograd(loss) if kind is Autograd else HandWritten(loss, loss.network)
    record = TrainingPass()
    g_KP = differentiator.gradient(w_KP, {}, batch, hyper, record=record).g_KP
    products = differentiator.grams(w_KP, {}, batch, hyper)
    assert torch.allclose(products.mean((1, 2)), g_KP.square().sum(1), rtol=1e-9)
    norms = differentiator.sample_norms(w_KP, {}, record, hyper)
    assert torch.allclose(norms, products.diagonal(dim1=1, dim2=2), rtol=1e-9)


def test_runs_with_weights_train_and_find_the_rare_class():
    plain = Recipe(data=rare(), model=h.Linear(), optimizer=h.Adam(lr=0.05), epochs=25)
    recalls = []
    for loss in (h.CrossEntropy(), h.CrossEntropy(weight="balanced")):
        runs = train(plain.with_values({"loss": loss.dump(), "metrics": ["balanced_accuracy"]}))
        recalls.append(float(runs.curves["valid/balanced_accuracy"].iloc[-1]))
    assert recalls[1] > recalls[0] + 0.05


@pytest.mark.parametrize(
    "loss, said",
    [
        (
            h.CrossEntropy(weight=(1.0, 2.0, 3.0)),
            "one number for each of 2 classes in weight, got 3",
        ),
        (h.CrossEntropy(weight=(0.0, 0.0)), "a class that counts in weight, got zeros alone"),
        (h.BCE(pos_weight=(1.0,)), "one number for each of 2 classes in pos_weight, got 1"),
    ],
)
def test_weights_that_do_not_fit_are_refused(loss, said):
    with pytest.raises(HarnessError, match=said):
        loss.check_targets(load_data(rare()).train.y)


def test_a_loss_without_weights_has_the_key_it_had():
    assert h.CrossEntropy().dump() == {"name": "CrossEntropy"} and h.BCE().dump() == {"name": "BCE"}
    assert h.CrossEntropy(weight="balanced").dump()["weight"] == "balanced"
