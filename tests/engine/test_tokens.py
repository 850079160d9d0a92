"""Targets and inputs of other shapes: trained as plain torch would, alone or in a cohort, and refused in a sentence."""

import pytest
import torch
from torch.nn import functional

import harness as h
from harness.core.errors import HarnessError
from harness.data.base import Data, fingerprint, load_data
from harness.engine.batching import check_batching
from harness.engine.program import program_of
from harness.engine.trial import try_program
from harness.spec.arms import Run
from harness.spec.resolved import resolve
from tests.engine import given_tokens as given
from tests.engine.test_cohort import assert_same, outcomes

HERE = "tests.engine.given_tokens"
CASES = {
    "token ids": {"data": "sentences", "model": "Classifier"},
    "tags": {"data": "tagged", "model": "Tagger"},
    "own loss of tags": {"data": "tagged", "model": "Tagger", "loss": "mean_by_sentence"},
    "pixels": {"data": "pictures", "model": "Pixels"},
    "numbers of pixels": {"data": "depths", "model": "Pixels"},
    "ids and mask": {"data": "masked", "model": "Masked"},
    "several of both": {"data": "pairs", "model": "TwoHeads", "loss": "both"},
}


def recipe(data, model, loss=None, others=None, **fields):
    parts = {"data": f"{HERE}.{data}", "model": f"{HERE}.{model}"}
    parts |= {"loss": f"{HERE}.{loss}"} if loss else {}
    others = fields | (others or {})
    base = {"optimizer": h.SGD(lr=0.5), "epochs": 3, "batch_size": 16, "dtype": "float64"}
    return h.Recipe(**base | parts | others)


@pytest.mark.parametrize("name", CASES)
def test_members_are_trained_in_a_cohort_as_alone(name):
    base = recipe(**CASES[name])
    try_program(program_of(resolve(base)))
    assert check_batching(resolve(base))[0]
    splits = [{}, {"data.split": 1}, {"optimizer.lr": 0.1}]
    runs = [Run.of(base.with_values(values), seed) for seed, values in enumerate(splits)]
    together = outcomes(runs)
    for run, outcome in zip(runs, together, strict=True):
        assert outcome.status == "finished", outcome.detail
        assert_same(outcome, outcomes([run])[0])
    last, first = together[0].points[-1].metrics, together[0].points[0].metrics
    assert last["train/loss"] < first["train/loss"] - 1e-3
    assert ("valid/accuracy" in last) == (name not in ("numbers of pixels", "several of both"))


def test_training_on_tags_is_torch_s_loop():
    """The same weights after the same batches by torch's own modules, loss and optimizer."""
    order = {"batch_order": "sequential", "epochs": 2}
    base = recipe("tagged", "Tagger", metrics=["Perplexity"], **order)
    program = program_of(resolve(base))
    module = program.network.build(5).double()
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    part = load_data(base.data).train
    x, y = torch.from_numpy(part.x), torch.from_numpy(part.y)
    for _ in range(2):
        for i in range(0, len(x), 16):
            loss = functional.cross_entropy(module(x[i : i + 16]).movedim(-1, 1), y[i : i + 16])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    held = load_data(base.data).valid
    x, y = torch.from_numpy(held.x), torch.from_numpy(held.y)
    with torch.no_grad():
        out = module(x)
    (outcome,) = outcomes([Run.of(base, 5)])
    last = outcome.points[-1].metrics
    expected = functional.cross_entropy(out.movedim(-1, 1), y)
    assert last["valid/loss"] == pytest.approx(float(expected), rel=1e-9)
    assert last["valid/perplexity"] == pytest.approx(float(expected.exp()), rel=1e-9)
    right = (out.argmax(-1) == y)[y >= 0].double().mean()
    assert last["valid/accuracy"] == pytest.approx(float(right))


def test_a_sample_s_mean_by_an_own_loss_counts_as_many_times_as_it_has_tokens():
    built, own = (
        outcomes([Run.of(recipe("tagged", "Tagger", loss), 0)])[0]
        for loss in (None, "mean_by_sentence")
    )
    assert_same(built, own)


def test_label_smoothing_acts_on_tokens_in_training_alone():
    plain = recipe("tagged", "Tagger")
    smooth = plain.with_values({"regularizers": [h.LabelSmoothing(amount=0.3).dump()]})
    one, other = (outcomes([Run.of(r, 0)])[0].points for r in (plain, smooth))
    assert one[0].metrics["valid/loss"] == other[0].metrics["valid/loss"]
    assert abs(one[-1].metrics["valid/loss"] - other[-1].metrics["valid/loss"]) > 1e-3


def test_very_many_classes_are_never_one_hot():
    base = recipe("many_classes", "Pixels", epochs=1, batch_size=100)
    dataset = load_data(base.data)
    assert dataset.train.y.shape == (len(dataset.train.x),) and dataset.outputs == 1200
    run = Run.of(base.with_values({"model": h.MLP(widths=(8,)).dump()}), 0)
    twin = base.with_values({"model": {"name": "tests.engine.given.Plain"}})
    (outcome,) = outcomes([run])
    assert outcome.points[-1].metrics["train/loss"] < outcome.points[0].metrics["train/loss"]
    assert outcomes([Run.of(twin, 0)])[0].status == "finished"


def test_whole_numbers_stay_fractions_for_models_that_compute_with_them():
    base = recipe("sentences", "Classifier", others={"model": h.MLP(widths=(8,))})
    assert program_of(resolve(base)).train.x.dtype == torch.float64
    assert program_of(resolve(recipe("sentences", "Classifier"))).train.x.dtype == torch.int64


def test_the_kind_of_target_can_be_said():
    data = {"name": f"{HERE}.sentences", "task": "regression"}
    assert load_data(Data.parse(data)).task == "regression"
    assert Data.parse(Data.parse(data).dump()) == Data.parse(data)
    assert load_data(Data.parse(f"{HERE}.tagged")).task == "tokens"
    assert fingerprint(Data.parse(data)) != fingerprint(Data.parse(f"{HERE}.sentences"))


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"model": h.MLP(widths=(4,))}, r"expected outputs of shape \(2, 6, 3\) .* got \(2, 3\)"),
        ({"loss": "mse"}, "MSE is for numbers"),
        ({"regularizers": [h.InputNoise()]}, "InputNoise computes with the inputs"),
        ({"regularizers": [h.Mixup()]}, "Mixup"),
        (
            {"loss": f"{HERE}.mean_by_sentence", "regularizers": [h.LabelSmoothing()]},
            "smooth in that function",
        ),
        ({"loss": h.CrossEntropy(ignore_index=-7)}, r"ignore_index \(-7\), got -100"),
        ({"data": f"{HERE}.uneven"}, "arrays of one length in x, got ids: 90, mask: 10"),
        ({"data": f"{HERE}.masked", "model": h.MLP()}, "several are for a module of your own"),
        ({"data": {"name": f"{HERE}.masked", "standardize": True}}, "data.standardize: expected"),
        (
            {"data": f"{HERE}.pairs", "model": f"{HERE}.TwoHeads"},
            "expected a loss, since targets",
        ),
    ],
)
def test_what_does_not_go_together_is_said(fields, said):
    with pytest.raises(HarnessError, match=said):
        try_program(program_of(resolve(recipe("tagged", "Tagger", others=fields))))


@pytest.mark.parametrize("probe", ["GradientNorm", "NoiseScale", "GradientSpread", "Curvature"])
def test_probes_look_at_tokens(probe):
    base = recipe("tagged", "Tagger", epochs=1)
    curves = h.train(base, probes=[{"name": probe, "every": 2}]).curves
    prefix = {"GradientNorm": "gradient", "NoiseScale": "noise", "GradientSpread": "spread"}
    wanted = prefix.get(probe, "curvature")
    assert any(name.startswith(f"{wanted}/") for name in curves.columns)


def test_shapes_given_are_those_of_the_arrays():
    assert load_data(Data.parse(f"{HERE}.pairs")).train.x.dtype.names == ("0", "1")
    assert load_data(Data.parse(f"{HERE}.tagged")).vocabulary == given.WORDS


def test_micro_batches_of_unequal_tokens_are_the_whole_batch():
    whole = recipe("tagged", "Tagger", epochs=2)
    parts = whole.with_values({"accumulate": 3})
    one, other = (outcomes([Run.of(r, 0)])[0] for r in (whole, parts))
    assert_same(one, other)
