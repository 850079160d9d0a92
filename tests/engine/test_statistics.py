"""Running statistics at averages: those of ``torch.optim.swa_utils.update_bn``."""

import pytest
import torch
from torch import nn
from torch.nn import functional
from torch.optim import swa_utils

import harness as h
from harness.core.errors import HarnessError
from harness.engine.cohort import evaluated_buffers, evaluated_of, start
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.protocol.check import check_study, notes_of
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.resolved import resolve

BASE = h.Recipe(
    data={"name": "digits", "train_size": 150},
    model=h.MLP(widths=(8,), norm="batch", dropout=0.2),
    optimizer=h.SGD(lr=0.5, momentum=0.9),
    average=h.EMA(decay=0.8),
    batch_size=40,  # the last batch of an epoch has 30 samples
    steps=12,
    eval_every=6,
    dtype="float64",
)


class Twin(nn.Module):
    """The same network as torch has it, by the harness's names."""

    def __init__(self, input_shape=(64,), outputs=10):
        super().__init__()
        self.hidden = nn.Linear(input_shape[0], 8)
        self.norm = nn.BatchNorm1d(8)
        self.out = nn.Linear(8, outputs)

    def forward(self, x):
        return self.out(torch.relu(self.norm(self.hidden(x))))


class WithMean(Twin):
    """Keeps a mean of its own, which nobody knows how to gather."""

    def __init__(self, input_shape, outputs):
        super().__init__(input_shape, outputs)
        self.norm = nn.Identity()
        self.register_buffer("my_mean", torch.zeros(1))


OWN = {"name": f"{__name__}.Twin"}
NAMES = {"hidden.0": "hidden", "norm.0": "norm", "mean": "running_mean", "var": "running_var"}


def torch_s(name):
    """A name of the harness's as the twin has it."""
    layer, _, kind = name.rpartition(".")
    return f"{NAMES.get(layer, layer)}.{NAMES.get(kind, kind)}"


def updated(program, tensors):
    """A twin with some weights, and the statistics that torch gathers for them."""
    own = tensors if isinstance(program.recipe.model, h.MLP) is False else None
    named = own or {torch_s(name): value for name, value in tensors.items()}
    twin = Twin().double()
    twin.load_state_dict(named, strict=False)
    swa_utils.update_bn([x for x, _ in program.train.pieces(40)], twin)
    return twin


@pytest.mark.parametrize("model", [BASE.model.dump(), OWN], ids=["MLP", "module"])
def test_an_average_has_the_statistics_that_torch_gathers(model):
    recipe = BASE.with_values({"model": model})
    program = program_of(resolve(recipe))
    cohort = advance(start([Run.of(recipe, 3)], test=False), 6)
    weights = program.layout.views(evaluated_of(program, cohort))
    twin = updated(program, {name: value[0] for name, value in weights.items()})
    expected = dict(twin.named_buffers())
    for name, found in evaluated_buffers(cohort).items():
        own = name if model is OWN else torch_s(name)
        if "num_batches" not in name:
            torch.testing.assert_close(found[0], expected[own], rtol=1e-10, atol=1e-12)
            assert not torch.allclose(cohort.buffers[name][0], expected[own], rtol=1e-3)
    with torch.no_grad():
        out, y = twin.eval()(program.valid.x), program.valid.y
    point = cohort.members[0].points[-1]
    loss = functional.cross_entropy(out, y)
    assert point.metrics["valid/loss"] == pytest.approx(float(loss), rel=1e-9)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"average": None, "optimizer": h.ScheduleFreeSGD(lr=0.5).dump()},
        {"regularizers": [h.EarlyStopping(patience=1)], "eval_every": 1},
        {"model": OWN},
    ],
    ids=str,
)
def test_members_on_several_splits_equal_themselves_alone(fields):
    runs = [
        Run.of(BASE.with_values({"data.split": split} | fields), seed)
        for split, seed in ((0, 1), (1, 1), (0, 2))
    ]
    together = advance(start(runs, test=True, keep="best")).outcomes
    for index, run in enumerate(runs):
        (alone,) = advance(start([run], test=True, keep="best")).outcomes.values()
        found = together[index]
        for metric in ("valid/loss", "test/loss"):
            assert found.summary[metric] == pytest.approx(alone.summary[metric], abs=1e-10)
        for name, kept in alone.weights.items():
            assert found.weights[name] == pytest.approx(kept, abs=1e-9)


def test_training_knows_nothing_of_them():
    (plain,), (averaged,) = (
        train_outcomes(BASE.with_values({"average": average}), [0])
        for average in (None, h.EMA().dump())
    )
    assert plain.series("batch/loss") == averaged.series("batch/loss")
    assert plain.series("valid/loss") != averaged.series("valid/loss")


def test_kept_weights_have_the_statistics_that_they_were_evaluated_with():
    cohort = start([Run.of(BASE, 0)], test=False, keep="last")
    program = program_of(resolve(BASE))
    weights = advance(cohort).outcomes[0].weights
    twin = updated(program, {name: torch.as_tensor(value) for name, value in weights.items()})
    for name, expected in twin.named_buffers():
        if "num_batches" not in name:
            kept = next(value for own, value in weights.items() if torch_s(own) == name)
            torch.testing.assert_close(torch.as_tensor(kept), expected, rtol=1e-10, atol=1e-12)


def test_probes_look_where_evaluations_do():
    recipe = BASE.with_values({"eval_every": 1})
    trained = h.train(recipe, probes=[{"name": "GeneralizationGap", "every": 5, "unit": "steps"}])
    curves = trained.curves.set_index("step")
    at = curves.loc[[5, 10]]
    gap = (at["valid/loss"] - at["train/loss"]).tolist()
    assert at["generalization/loss"].tolist() == pytest.approx(gap, rel=1e-9)


def test_the_plan_says_that_evaluations_cost_more_and_refuses_statistics_it_does_not_know():
    (note,) = notes_of(h.Study(name="yes", question="?", recipe=BASE))
    assert "EMA is evaluated with statistics of batch normalization" in note
    own = BASE.with_values({"model": {"name": f"{__name__}.WithMean"}})
    with pytest.raises(HarnessError, match=r"expected no other, got my_mean"):
        check_study(h.Study(name="no", question="?", recipe=own))
