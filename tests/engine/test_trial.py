"""What can't be trained or evaluated is refused in one sentence before anything trains."""

import pytest
import torch

import harness as h
from harness.core import time_limit
from harness.core.errors import HarnessError
from harness.engine.program import program_of
from harness.engine.trial import batch_sizes, try_program
from harness.spec.resolved import resolve
from tests.cases import DATA, LOSSES, MODELS

BASE = h.Recipe(data="iris", model=h.MLP(widths=(8,)), optimizer=h.SGD(lr=0.1), epochs=2)
"""150 samples: 30 for the test, 24 for validation, 96 for training."""


def attempt(**fields):
    try_program(program_of(resolve(BASE.with_values(fields))))


@pytest.mark.parametrize(
    "name, said",
    [
        ("Wide", r"expected outputs of shape \(2, 3\) for 2 samples .* got \(2, 5\)"),
        ("Narrow", r"expected outputs of shape \(2, 3\) .* got \(2,\)"),
        ("Total", r"expected outputs of shape \(2, 3\) .* got \(\)"),
        ("Pair", r"forward to return a tensor \(B, D\), got tuple"),
        ("Named", r"forward to return a tensor \(B, D\), got dict"),
        ("Double", r"fails in layer 'body.0' \(Linear\) with inputs \[\(4,\)\]: .*same dtype"),
        ("Misfit", r"fails in layer 'body.1' \(Linear\) with inputs \[\(8,\)\]: .*shapes"),
        ("Leaving", r"fails: SystemExit: 7 \(given.py:\d+\)"),
        ("Waiting", "outputs of a few samples within 0.2 seconds"),
    ],
)
def test_a_module_that_does_not_fit_is_refused_with_its_layer(monkeypatch, name, said):
    monkeypatch.setattr(time_limit, "PASS_SECONDS", 0.2 if name == "Waiting" else 60)
    with pytest.raises(HarnessError, match=said) as caught:
        attempt(model=f"tests.engine.given.{name}")
    assert "\n" not in str(caught.value) and name in str(caught.value)


def test_lazy_layers_are_those_with_their_sizes_written_out():
    lazy, eager = (
        h.train(BASE.with_values({"model": f"tests.engine.given.{name}"}), 2).curves
        for name in ("Lazy", "Eager")
    )
    assert lazy.equals(eager)


@pytest.mark.parametrize(
    "name, said",
    [
        ("three", r"one loss a sample, of shape \(16,\) for 16 samples, got \(3,\)"),
        ("one", r"of shape \(16,\) for 16 samples, got \(\)"),
        ("detached", "got one without a gradient"),
        ("broken", r"recipe.loss: .*broken fails: RuntimeError: no such thing"),
    ],
)
def test_a_loss_is_one_number_a_sample_with_a_gradient(name, said):
    with pytest.raises(HarnessError, match=said):
        attempt(loss=f"tests.engine.given.{name}")
    attempt(loss="tests.engine.given.fine")


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_takes_classes(name):
    attempt(loss=LOSSES[name].loss)


@pytest.mark.parametrize("name", [n for n in DATA if n not in ("MNIST1D", "QuadraticDeep")])
def test_every_data_set_can_be_tried(name):
    models = {"function": None, "tokens": h.GPT(width=8, heads=2)}
    model = models.get(DATA[name][2], h.Linear())
    try_program(
        program_of(
            resolve(
                h.Recipe(
                    data=name, model=model, optimizer=h.SGD(lr=0.1), steps=1, batch_size="full"
                )
            )
        )
    )


@pytest.mark.parametrize("loss", ["CrossEntropy", "BCE"])
def test_losses_of_classes_refuse_numbers(loss):
    with pytest.raises(HarnessError, match=f"recipe.loss: {loss} needs targets"):
        attempt(data="diabetes", loss=loss)


@pytest.mark.parametrize(
    "data, part, said",
    [
        (
            "diabetes",
            h.LabelSmoothing(),
            "LabelSmoothing is for classification and tokens, got regression",
        ),
        ("rosenbrock", h.Mixup(), "Mixup is for classification and regression, got function"),
        ("rosenbrock", h.InputNoise(), "InputNoise is for classification and regression"),
        ("digits", h.RandomCrop(), r"RandomCrop is for pictures .* got inputs \(64,\) \(Digits\)"),
        (
            h.Digits(image=True),
            h.RandomCrop(padding=8),
            "RandomCrop.padding of at most 7, since pictures are 8 × 8 pixels, got 8",
        ),
        (h.Digits(image=True), h.Cutout(size=9), "Cutout.size of at most 8, .* 8 × 8 .* got 9"),
        (
            "diabetes",
            h.EarlyStopping(metric="valid/accuracy"),
            "watches valid/accuracy, got validation metrics loss of data Diabetes; use valid/loss",
        ),
    ],
)
def test_regularizers_of_classes_refuse_numbers(data, part, said):
    model = None if data == "rosenbrock" else h.Linear()
    fields = {"data": data, "model": model, "batch_size": "full", "regularizers": [part]}
    with pytest.raises(HarnessError, match=said):
        attempt(**fields)


NORMALISED = {
    "own": {"model": h.MLP(widths=(8,), norm="batch")},
    "torch's": {"model": {"name": "tests.engine.given.Eager"}},
    "one position": {
        "data": {"name": "digits", "image": True, "train_size": 96},
        "model": h.CNN2D(channels=(3, 4, 5), norm="batch"),
    },
}


@pytest.mark.parametrize("fields", NORMALISED.values(), ids=NORMALISED)
@pytest.mark.parametrize("split", [0, 3])
def test_a_batch_of_one_is_not_normalised(fields, split):
    fields = fields | {"data.split": split}
    # 96 = 19 · 5 + 1
    for size, said in (
        (5, "96 training samples in batches of 5.; set drop_last"),
        (1, "is 1; take"),
    ):
        with pytest.raises(HarnessError, match=f"recipe.model: .*{said}"):
            attempt(batch_size=size, **fields)
    attempt(batch_size=5, drop_last=True, **fields)
    attempt(batch_size=5, epochs=None, steps=19, **fields)  # ends before the last batch
    attempt(batch_size=6, **fields)


def test_a_batch_of_one_picture_is_normalised_over_its_positions():
    attempt(
        data={"name": "digits", "image": True},
        model=h.CNN2D(channels=(3,), norm="batch"),
        batch_size=1,
    )


@pytest.mark.parametrize(
    "batch, sizes, fields",
    [
        (32, {32}, {}),
        (36, {36, 24}, {}),
        (95, {95, 1}, {}),
        (95, {95}, {"drop_last": True}),
        (95, {95}, {"epochs": None, "steps": 1}),
        ("full", {96}, {}),
    ],
)
def test_sizes_of_the_batches_of_a_run(batch, sizes, fields):
    program = program_of(resolve(BASE.with_values({"batch_size": batch, **fields})))
    assert batch_sizes(program) == sizes


@pytest.mark.parametrize("batch", [97, 200])
def test_a_batch_of_more_samples_than_there_are_is_refused(batch):
    with pytest.raises(
        HarnessError, match=rf"at most 96 .the training samples., got {batch}; use 'f"
    ):
        attempt(batch_size=batch)
    attempt(batch_size=96)


@pytest.mark.parametrize(
    "model, data, said",
    [
        (
            h.CNN2D(channels=(3, 3), kernel=2),
            {"name": "tests.engine.given.pictures", "side": 1},
            None,
        ),
        (h.CNN1D(channels=3), {"name": "tests.engine.given.signals", "length": 2}, "conv.0"),
    ],
)
def test_inputs_too_small_for_the_convolutions_are_refused_with_the_layer(model, data, said):
    if said is None:
        attempt(model=model, data=data)
        return
    with pytest.raises(
        HarnessError, match=rf"{said} \(kernel 5, stride 2, padding 1\) expected inputs"
    ):
        attempt(model=model, data=data)


def test_every_model_of_the_table_can_be_tried():
    for case in MODELS.values():
        attempt(model=case.model, data=case.data)
    assert torch.is_grad_enabled()
