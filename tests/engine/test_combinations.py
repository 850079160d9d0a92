"""Fields that change how a run is trained, each beside each: trained, or refused in a sentence."""

from itertools import combinations

import pytest
from torch import nn

import harness as h
from harness.core.errors import HarnessError
from harness.engine.differentiate import compiled
from harness.execution.jobs import Job, perform
from harness.protocol.check import check_study
from harness.spec.arms import Run
from tests.data.test_endless import streamed

BASE = {
    "data": {"name": "digits", "train_size": 48},
    "model": {"name": "MLP", "widths": (8,)},
    "optimizer": {"name": "SGD", "lr": 0.1},
    "batch_size": 12,
    "steps": 4,
    "eval_every": 2,
}


class Drops(nn.Module):
    """Drops by torch's own layer."""

    def __init__(self, input_shape, outputs):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(input_shape[0], 8), nn.Dropout(0.2), nn.Linear(8, outputs)
        )

    def forward(self, x):
        return self.layers(x)


FIELDS = {
    "compile": {"compile": True},
    "processes": {"processes": 2},
    "accumulate": {"accumulate": 2},
    "bf16": {"amp": True},
    "fp16": {"amp": "fp16"},
    "float64": {"dtype": "float64"},
    "EMA": {"average": {"name": "EMA"}},
    "mup": {"parametrization": "mup", "base_width": 4},
    "LBFGS": {"optimizer": {"name": "torch.optim.LBFGS", "lr": 0.1, "max_iter": 2}},
    "Schedule-Free": {"optimizer": {"name": "ScheduleFreeSGD", "lr": 0.1}},
    "SOAP": {"optimizer": {"name": "SOAP", "lr": 0.01}},
    "gradients": {"steps": None, "gradients": 60, "eval_every": None},
    "groups": {"groups": {"*.bias": {"lr": 0.5}}},
    "full batch": {"batch_size": "full"},
    "batch norm": {"model": {"name": "MLP", "widths": (8,), "norm": "batch"}},
    "own module": {"model": {"name": f"{__name__}.Drops"}},
    "dropout and mixup": {
        "model": {"name": "MLP", "widths": (8,), "dropout": 0.2},
        "regularizers": [{"name": "Mixup", "alpha": 0.3}, {"name": "ClipNorm", "limit": 1.0}],
    },
    "early stopping": {"regularizers": [{"name": "EarlyStopping", "patience": 1}]},
    "max-norm": {"regularizers": [{"name": "MaxNorm", "limit": 1.0}]},
    "endless": {"data": streamed()},
}
"""What may stand in a recipe, by a short name."""
REFUSED = {
    ("processes", "batch norm"): "recipe.processes: expected a model without statistics of its",
    ("bf16", "float64"): "recipe.amp: expected dtype float32 beside it",
    ("fp16", "float64"): "recipe.amp: expected dtype float32 beside it",
    ("fp16", "LBFGS"): "recipe.amp: expected an optimizer of the harness's own beside fp16",
    ("fp16", "SOAP"): "recipe.amp: SOAP makes a part of its state at its first update",
    ("EMA", "Schedule-Free"): "recipe.average: expected an optimizer that is evaluated at its",
    ("EMA", "max-norm"): "recipe.regularizers: EMA evaluates at an average of weights",
    ("Schedule-Free", "max-norm"): "recipe.regularizers: ScheduleFreeSGD evaluates at an average",
    ("mup", "LBFGS"): "recipe.parametrization: expected an optimizer for 'mup'",
    ("mup", "SOAP"): "recipe.parametrization: expected an optimizer for 'mup'",
    ("mup", "own module"): "recipe.parametrization: expected a model whose hidden layers have",
    ("LBFGS", "groups"): "recipe.optimizer: torch.optim.LBFGS can't be made with",
    ("full batch", "endless"): "recipe.batch_size: expected fewer than all samples",
}
"""What does not go together, and how the plan's sentence begins."""


def pairs():
    """Every two that do not set the same field."""
    return [(a, b) for a, b in combinations(FIELDS, 2) if FIELDS[a].keys().isdisjoint(FIELDS[b])]


def recipe_of(*names):
    fields = dict(BASE)
    for name in names:
        fields |= FIELDS[name]
    return h.Recipe.model_validate(fields)


def refusal(*names):
    """What the plan says; None where it takes them."""
    try:
        check_study(h.Study(name="pair", question="?", recipe=recipe_of(*names)))
    except HarnessError as error:
        return str(error).removeprefix("study 'pair' can't be run:\n  arm 'base': ")
    return None


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(compiled, "BACKEND", "aot_eager")


@pytest.mark.parametrize("pair", REFUSED, ids=" and ".join)
def test_what_does_not_go_together_is_refused_by_the_plan_in_a_sentence(pair):
    said = refusal(*pair)
    assert said is not None and said.startswith(REFUSED[pair]) and "\n" not in said


TAKEN = [pair for pair in pairs() if pair not in REFUSED]


@pytest.mark.parametrize("first", FIELDS)
def test_everything_else_is_taken_by_the_plan(first):
    # each compiled pass takes a second
    others = [b for a, b in TAKEN if a == first and "compile" not in (a, b)]
    assert [(other, said) for other in others if (said := refusal(first, other))] == []


@pytest.mark.slow
@pytest.mark.parametrize("pair", TAKEN, ids=" and ".join)
def test_what_the_plan_takes_is_trained(pair):
    assert refusal(*pair) is None
    done = perform(Job((0,), (Run.of(recipe_of(*pair), 0),), test=True))
    assert not done.error and done.outcomes[0].status in ("finished", "stopped")
