"""Runs of the harness against bare PyTorch loops, and the exact equivalences between optimizers, in float64."""

import pytest
import torch
from torch import nn

import harness as h
from harness.core.streams import numpy_stream
from harness.data.base import load_data
from harness.engine.initialize import initial_weights
from harness.engine.program import program_of
from harness.protocol.train import train_outcomes
from harness.spec.resolved import resolve

STEPS = 50


def recipe(**fields):
    base = {
        "data": "digits",
        "model": h.MLP(widths=(16, 16), activation="tanh"),
        "batch_size": 100,
        "steps": STEPS,
    }
    return h.Recipe(
        **base | {"optimizer": h.SGD(lr=0.1), "dtype": "float64", "eval_every": 1} | fields
    )


def losses(fields, seed=0):
    (outcome,) = train_outcomes(recipe(**fields), [seed])
    return [p.metrics["train/loss"] for p in outcome.points]


def bare_loop(optimizer, schedule=None, after_backward=lambda model: None, seed=0, smoothing=0.0):
    """Train the same network with torch alone; only the starting weights and the order of samples are the harness's."""
    program, data = program_of(resolve(recipe())), load_data(recipe().data)
    model = nn.Sequential(
        nn.Linear(64, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 10)
    ).double()
    start = program.layout.views(initial_weights(program, [seed]))
    linears = [m for m in model if isinstance(m, nn.Linear)]
    for layer, name in zip(linears, ("hidden.0", "hidden.1", "out"), strict=True):
        layer.weight.data.copy_(start[f"{name}.weight"][0])
        layer.bias.data.copy_(start[f"{name}.bias"][0])
    x, y = torch.tensor(data.train.x), torch.tensor(data.train.y).argmax(1)
    made, criterion = optimizer(model.parameters()), nn.CrossEntropyLoss(label_smoothing=smoothing)
    stepper = schedule(made) if schedule else None
    per_epoch, seen = -(-len(x) // 100), []
    for step in range(STEPS):
        epoch, place = divmod(step, per_epoch)
        rows = numpy_stream(seed, "order", epoch).permutation(len(x))[
            place * 100 : (place + 1) * 100
        ]
        made.zero_grad()
        loss = criterion(model(x[rows]), y[rows])
        loss.backward()
        after_backward(model)
        made.step()
        if stepper:
            stepper.step()
        seen.append(loss.item())
    return seen


def batch_losses(fields, seed=0):
    (outcome,) = train_outcomes(recipe(**fields), [seed])
    return [p.metrics["batch/loss"] for p in outcome.points[1:]]


def decayed(parameters, rate):
    """torch's parameter groups as the field makes them: biases do not decay."""
    parameters = list(parameters)
    matrices = [p for p in parameters if p.ndim > 1]
    vectors = [p for p in parameters if p.ndim < 2]
    return [
        {"params": matrices, "weight_decay": rate},
        {"params": vectors, "weight_decay": 0.0},
    ]


TWINS = {
    "SGD": (
        {"optimizer": h.SGD(lr=0.1, momentum=0.9)},
        {"optimizer": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)},
    ),
    "Adam": ({"optimizer": h.Adam(lr=0.01)}, {"optimizer": lambda p: torch.optim.Adam(p, lr=0.01)}),
    "L2": (
        {"optimizer": h.Adam(lr=0.01), "regularizers": [h.L2(strength=0.1)]},
        {"optimizer": lambda p: torch.optim.Adam(decayed(p, 0.1), lr=0.01)},
    ),
    "L2 of all": (
        {"optimizer": h.Adam(lr=0.01), "regularizers": [h.L2(strength=0.1, exempt=())]},
        {"optimizer": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.1)},
    ),
    "AdamW": (
        {"optimizer": h.AdamW(lr=0.01, weight_decay=0.1)},
        {"optimizer": lambda p: torch.optim.AdamW(decayed(p, 0.1), lr=0.01)},
    ),
    "AdamW of all": (
        {"optimizer": h.AdamW(lr=0.01, weight_decay=0.1, exempt=())},
        {"optimizer": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)},
    ),
    "weight decay": (
        {"optimizer": h.Adam(lr=0.01), "regularizers": [h.WeightDecay(rate=0.1)]},
        {"optimizer": lambda p: torch.optim.AdamW(decayed(p, 0.1), lr=0.01)},
    ),
    "weight decay of all": (
        {"optimizer": h.Adam(lr=0.01), "regularizers": [h.WeightDecay(rate=0.1, exempt=())]},
        {"optimizer": lambda p: torch.optim.AdamW(p, lr=0.01, weight_decay=0.1)},
    ),
    "label smoothing": (
        {"regularizers": [h.LabelSmoothing(amount=0.2)]},
        {"optimizer": lambda p: torch.optim.SGD(p, lr=0.1), "smoothing": 0.2},
    ),
    "clip norm": (
        {"regularizers": [h.ClipNorm(limit=0.05)]},
        {
            "optimizer": lambda p: torch.optim.SGD(p, lr=0.1),
            "after_backward": lambda m: nn.utils.clip_grad_norm_(m.parameters(), 0.05),
        },
    ),
    "clip value": (
        {"regularizers": [h.ClipValue(limit=0.01)]},
        {
            "optimizer": lambda p: torch.optim.SGD(p, lr=0.1),
            "after_backward": lambda m: nn.utils.clip_grad_value_(m.parameters(), 0.01),
        },
    ),
    "one-cycle": (
        {"schedule": "OneCycle"},
        {
            "optimizer": lambda p: torch.optim.SGD(p, lr=0.1),
            "schedule": lambda o: torch.optim.lr_scheduler.OneCycleLR(
                o, 0.1, total_steps=STEPS, cycle_momentum=False
            ),
        },
    ),
    "cosine": (
        {"schedule": "Cosine"},
        {
            "optimizer": lambda p: torch.optim.SGD(p, lr=0.1),
            "schedule": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, STEPS),
        },
    ),
    "eager Adam": (
        {"optimizer": {"name": "torch.optim.Adam", "lr": 0.01}},
        {"optimizer": lambda p: torch.optim.Adam(p, lr=0.01)},
    ),
}


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")
@pytest.mark.parametrize("name", TWINS)
def test_run_equals_a_bare_pytorch_loop(name):
    fields, twin = TWINS[name]
    assert batch_losses(fields) == pytest.approx(bare_loop(**twin), rel=1e-9, abs=1e-11)


def test_l2_is_decoupled_decay_without_momentum_and_only_then():
    def pair(optimizer):
        l2 = losses({"optimizer": optimizer, "regularizers": [h.L2(strength=0.05)]})
        decay = losses({"optimizer": optimizer, "regularizers": [h.WeightDecay(rate=0.05)]})
        return max(abs(a - b) for a, b in zip(l2, decay, strict=True))

    assert pair(h.SGD(lr=0.3)) <= 1e-12
    assert pair(h.SGD(lr=0.3, momentum=0.9)) > 1e-2
    assert pair(h.Adam(lr=0.01)) > 1e-2


def test_adamw_is_adam_with_decoupled_decay():
    adamw = losses({"optimizer": h.AdamW(lr=0.01, weight_decay=0.1)})
    decayed = losses({"optimizer": h.Adam(lr=0.01), "regularizers": [h.WeightDecay(rate=0.1)]})
    assert adamw == pytest.approx(decayed, abs=1e-12)


def test_adam_does_not_see_the_scale_of_the_loss():
    fields = {
        "data": "diabetes",
        "model": h.MLP(widths=(8,)),
        "optimizer": h.Adam(lr=0.01, eps=1e-300),
    }
    plain = losses(fields | {"loss": "mse"})
    scaled = losses(fields | {"loss": {"name": "tests.engine.test_equivalences.hundredfold"}})
    assert [100 * v for v in plain] == pytest.approx(scaled, rel=1e-7)


def hundredfold(out, y):
    return 100 * (out - y).square().mean(-1)


def test_lbfgs_trains_on_the_eager_path_with_its_closure():
    fields = {
        "optimizer": {"name": "torch.optim.LBFGS", "lr": 0.5, "max_iter": 4},
        "batch_size": "full",
        "steps": 10,
    }
    curve = losses(fields)
    assert curve[-1] < 0.2 * curve[0]


def test_more_seeds_at_once_are_the_same_runs():
    together = train_outcomes(recipe(), [0, 1, 2])
    for seed in range(3):
        (alone,) = train_outcomes(recipe(), [seed])
        assert [p.metrics["train/loss"] for p in alone.points] == pytest.approx(
            [p.metrics["train/loss"] for p in together[seed].points], rel=1e-10
        )


def test_bfloat16_autocast_is_near_float32_and_not_it():
    recipe = h.Recipe(data="digits", model=h.MLP(widths=(32,)), optimizer=h.SGD(lr=0.1), epochs=3)
    full, half = (
        h.train(recipe.model_copy(update={"amp": amp}), 2).runs["train/loss"].to_numpy(float)
        for amp in (False, True)
    )
    assert half == pytest.approx(full, rel=0.05)
    assert (half != full).all()
