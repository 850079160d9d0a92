"""muP: the coordinate check, the paper's table in its other form, and starts and rates by width."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

import harness as h
from harness.core.errors import HarnessError, SpecError
from harness.engine.batches import Batches
from harness.engine.cohort import start
from harness.engine.initialize import initial_weights
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.engine.splits import splits_of
from harness.models.base import Context, DataSizes, Seen
from harness.protocol.check import check_study
from harness.protocol.train import train_outcomes
from harness.spec.arms import Run
from harness.spec.keys import ENGINE, digest, run_key
from harness.spec.resolved import resolve

BASE = h.Recipe(
    data=h.Digits(train_size=200),
    model=h.MLP(widths=(64, 64)),
    optimizer=h.Adam(lr=0.003),
    batch_size=64,
    steps=100,
    eval_every=1,
)


def recipe_of(width=64, depth=2, mup=True, **fields):
    return BASE.with_values(
        {"model.widths": (width,) * depth, "parametrization": "mup" if mup else "standard"} | fields
    )


def changes(recipe, steps, seeds=(0, 1)):
    """Mean |h_t − h_0| of each layer on a batch, at t = 1 … steps."""
    cohort = start([Run.of(recipe, seed) for seed in seeds], test=False)
    program, found = program_of(resolve(recipe)), []

    def outputs():
        seen, views = Seen(), program.layout.views(cohort.w_KP)
        with torch.no_grad():
            out = program.network(views, program.train.x[:64][None], Context(seen=seen))
        return {name: value.clone() for name, value in {**seen.outputs, "out": out}.items()}

    first = outputs()
    for step in range(1, steps + 1):
        advance(cohort, step)
        found.append({n: float((v - first[n]).abs().mean()) for n, v in outputs().items()})
    return found


def slopes(widths, steps=4, **fields):
    """Slopes of the changes over the width, on logarithms: by step and layer."""
    by_width = [changes(recipe_of(width, **fields), steps) for width in widths]
    return [
        {
            name: np.polyfit(np.log(widths), [math.log(f[step][name]) for f in by_width], 1)[0]
            for name in by_width[0][step]
        }
        for step in range(steps)
    ]


@pytest.mark.parametrize(
    ("optimizer", "widths"),
    [
        (h.Adam(lr=0.003), (64, 256, 1024)),
        (h.SGD(lr=0.1), (64, 256, 1024)),
        (h.Lion(lr=0.001), (64, 256)),
        (h.Muon(lr=0.02, adam_lr=0.003), (128, 512)),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_activations_change_alike_at_every_width(optimizer, widths):
    for step in slopes(widths, optimizer=optimizer.dump()):
        assert all(abs(slope) < 0.15 for slope in step.values()), step


def test_without_it_wide_networks_change_more():
    found = slopes((64, 256, 1024), mup=False)
    assert all(step["out"] > 0.5 for step in found), found
    assert found[0]["hidden.1"] > 0.5


@pytest.mark.parametrize("mup", [True, False])
def test_transformers_whose_heads_grow_in_number_change_alike_too(mup):
    def changed(width):
        model = h.Transformer(patch=8, width=width, depth=2, heads=width // 8)
        fields = {"parametrization": "mup", "base_width": 32} if mup else {}
        return changes(BASE.with_values({"model": model.dump()} | fields), 3)

    for narrow, wide in zip(changed(32), changed(128), strict=True):
        slopes = [math.log(wide[name] / narrow[name], 4) for name in narrow]
        assert all(abs(slope) < 0.2 if mup else slope > 0.3 for slope in slopes), slopes


LANGUAGE = {"name": "Markov", "symbols": 5, "context": 6, "samples": 400}


def gpt_changes(width, steps=3, **fields):
    """Changes in a GPT of a width by that of a sixteenth, as slopes over the width."""
    model = {"name": "GPT", "layers": 1, "heads": 2} | fields.pop("model", {})
    mup = {"parametrization": "mup", "base_width": 32} if fields.pop("mup", True) else {}
    recipe = BASE.with_values({"data": LANGUAGE, "batch_size": 32} | mup | fields)
    narrow, wide = (
        changes(recipe.with_values({"model": {**model, "width": w}}), steps, seeds=(0,))
        for w in (width // 16, width)
    )
    return [
        {name: math.log(b[name] / a[name], 16) for name in a}
        for a, b in zip(narrow, wide, strict=True)
    ]


@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({"optimizer": h.Adam(lr=0.003).dump()}, {}),
        pytest.param(
            {"optimizer": h.SGD(lr=0.3).dump()},
            {"tied": False, "positions": "rotary"},
            marks=pytest.mark.slow,
        ),
        pytest.param({"optimizer": h.SGD(lr=0.3).dump()}, {}, marks=pytest.mark.slow),
        pytest.param(
            {"optimizer": h.AdamW(lr=0.003).dump()}, {"tied": False}, marks=pytest.mark.slow
        ),
    ],
    ids=str,
)
def test_language_models_whose_heads_grow_change_alike_at_every_width(fields, model):
    for step in gpt_changes(512, model=model, **fields):
        assert all(abs(slope) < 0.2 for slope in step.values()), step


def test_without_it_wide_language_models_change_more():
    found = gpt_changes(512, mup=False, optimizer=h.Adam(lr=0.003).dump())
    assert all(step["out"] > 0.4 for step in found), found


@pytest.mark.parametrize("tied", [True, False])
def test_scores_and_tied_logits_have_the_multipliers_of_the_paper(tied):
    """Scores qkᵀ√d₀/d, and logits by the ratio of the widths where the embeddings put them out."""
    spec = h.GPT(width=32, heads=2, layers=1, tied=tied)
    sizes = DataSizes((5,), 7, vocabulary=7)
    plain, mup = spec.network_for(sizes), spec.network_for(sizes._replace(base_width=8))
    q, k = torch.randn(2, 1, 3, 2, 5, 16, dtype=torch.float64)
    ours, theirs = (network.blocks[0].scores(q, k) for network in (mup, plain))
    # 16 features a head, 4 at the base width
    torch.testing.assert_close(ours, theirs * math.sqrt(16) * math.sqrt(4) / 16)
    params = {n: torch.randn(1, *w.shape, dtype=torch.float64) for n, w in plain.weights().items()}
    # without attention both see the same
    params["block.0.mix.weight"].zero_()
    tokens = torch.randint(7, (1, 3, 5))
    ours, theirs = (network(params, tokens, Context()) for network in (mup, plain))
    torch.testing.assert_close(ours * (4 if tied else 1), theirs)


def test_language_models_at_the_base_width_are_standard_and_others_have_keys_of_their_own():
    recipe = BASE.with_values({"data": LANGUAGE, "model": h.GPT(width=32).dump(), "steps": 3})
    mup = recipe.with_values({"parametrization": "mup", "base_width": 32})
    ours, theirs = (train_outcomes(each, [0])[0] for each in (mup, recipe))
    assert ours.series("batch/loss") == theirs.series("batch/loss")
    assert run_key(Run.of(recipe, 0), "", "") == digest([recipe.dump(), 0, "", "", ENGINE])
    assert run_key(Run.of(mup, 0), "", "") != digest([mup.dump(), 0, "", "", ENGINE])


def test_heads_that_change_with_the_width_are_refused_by_the_plan():
    def study(**levels):
        model = {"name": "GPT", "layers": 1}
        recipe = BASE.with_values({"data": LANGUAGE, "model": model, "parametrization": "mup"})
        models = {name: h.GPT(layers=1, width=w, heads=n) for name, (w, n) in levels.items()}
        return h.Study(name="heads", question="?", recipe=recipe, compare={"model": models})

    check_study(study(narrow=(64, 4), wide=(128, 4)))
    check_study(study(a=(64, 2), b=(64, 4), c=(128, 2), d=(128, 4)))
    with pytest.raises(HarnessError, match=r"got 4 at width 64, 8 at width 128; leave heads"):
        check_study(study(narrow=(64, 4), wide=(128, 8)))


class TableEight(nn.Module):
    """The same network in the form of the paper's table 8: an output multiplier."""

    def __init__(self, params, ratio):
        super().__init__()
        params = {name: value[0].clone() for name, value in params.items()}
        # what starts at 1/r there starts at 1 here, behind a multiplier of 1/r
        params["out.weight"] = params["out.weight"] * ratio
        self.own = nn.ParameterDict(
            {n.replace(".", "_"): nn.Parameter(v) for n, v in params.items()}
        )
        self.ratio = ratio

    def forward(self, x):
        hidden = x
        for i in range(2):
            layer = self.own[f"hidden_{i}_weight"], self.own[f"hidden_{i}_bias"]
            hidden = functional.relu(functional.linear(hidden, *layer))
        out = functional.linear(hidden, self.own["out_weight"]) / self.ratio
        return out + self.own["out_bias"]

    def groups(self, lr, rates, decays):
        # hidden matrices, the output's, and what is a vector or takes the inputs
        kinds = {"hidden_1_weight": "hidden", "out_weight": "output", "out_bias": "fixed"}
        return [
            {"params": [p], "lr": lr * rates[kind], "weight_decay": decays[kind]}
            for name, p in self.own.items()
            for kind in [kinds.get(name, "input")]
        ]


@pytest.mark.parametrize("name", ["SGD", "AdamW"])
def test_it_is_the_table_with_an_output_multiplier(name):
    """Table 8: SGD's rates are r for inputs and outputs, Adam's 1/r for hidden matrices."""
    ratio, decay = 4, 0.1
    optimizer = (
        h.AdamW(lr=0.01, weight_decay=decay, exempt=()) if name == "AdamW" else h.SGD(lr=0.1)
    )
    recipe = recipe_of(
        64, base_width=16, optimizer=optimizer.dump(), dtype="float64", **{"init": h.He().dump()}
    )
    program, lr = program_of(resolve(recipe)), optimizer.lr
    cohort = start([Run.of(recipe, 0)], test=False)
    twin = TableEight(program.layout.views(cohort.w_KP), ratio)
    if name == "AdamW":
        rates = {"hidden": 1 / ratio, "output": 1, "input": 1, "fixed": 1}
        decays = {"hidden": decay * ratio, "output": decay, "input": decay, "fixed": decay}
        theirs = torch.optim.AdamW(twin.groups(lr, rates, decays), eps=1e-30)
        recipe = recipe.with_values({"optimizer.eps": 1e-30})
        cohort = start([Run.of(recipe, 0)], test=False)
    else:
        rates = {"hidden": 1, "output": ratio, "input": ratio, "fixed": 1}
        theirs = torch.optim.SGD(twin.groups(lr, rates, dict.fromkeys(rates, 0.0)))
    batches = Batches(program, splits_of(program, [resolve(recipe)]), [0])
    for step in range(6):
        batch = batches.batch(step)
        theirs.zero_grad()
        functional.cross_entropy(twin(batch.x_KB[0]), batch.y_KBD[0]).backward()
        theirs.step()
    advance(cohort, 6)
    ours = program.network(program.layout.views(cohort.w_KP), program.train.x[None], Context())[0]
    torch.testing.assert_close(ours, twin(program.train.x).detach(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("init", [h.Default(), h.He(), h.Xavier(), h.Normal(std=0.05)], ids=str)
def test_starts_go_with_the_width_as_the_table_says(init):
    def deviations(width):
        recipe = recipe_of(width, init=init.dump())
        program = program_of(resolve(recipe))
        views = program.layout.views(initial_weights(program, [0, 1, 2, 3]))
        return {name: float(view.std()) for name, view in views.items()}

    narrow, wide = deviations(64), deviations(1024)
    expected = {"hidden.0.weight": 1.0, "hidden.1.weight": 1 / 4, "out.weight": 1 / 16}
    for name, ratio in expected.items():
        assert wide[name] / narrow[name] == pytest.approx(ratio, rel=0.05)
    if narrow["hidden.1.bias"]:
        assert wide["hidden.1.bias"] / narrow["hidden.1.bias"] == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("optimizer", [h.SGD(lr=0.1), h.AdamW(lr=0.01, weight_decay=0.1)], ids=str)
def test_at_the_base_width_it_is_the_standard_parametrization(optimizer):
    fields = {"optimizer": optimizer.dump(), "regularizers": [h.WeightDecay(rate=0.1)], "steps": 20}
    (mup,), (plain,) = (train_outcomes(recipe_of(mup=m, **fields), [0]) for m in (True, False))
    assert mup.series("batch/loss") == plain.series("batch/loss")
    assert mup.series("valid/loss") == plain.series("valid/loss")


def test_decays_take_away_the_same_share_at_every_width():
    """With gradients that are 0 only the decay moves the weights."""
    for fields in (
        {"optimizer": h.AdamW(lr=0.01, weight_decay=0.5, exempt=()).dump()},
        {"regularizers": [h.WeightDecay(rate=0.5, exempt=())], "optimizer": h.Adam(lr=0.01).dump()},
    ):
        recipe = recipe_of(256, **fields, loss="tests.engine.test_parametrization.nothing")
        cohort = start([Run.of(recipe, 0)], test=False)
        before_KP = cohort.w_KP.clone()
        advance(cohort, 1)
        kept = cohort.w_KP[before_KP != 0] / before_KP[before_KP != 0]
        torch.testing.assert_close(kept, torch.full_like(kept, 1 - 0.01 * 0.5))


def nothing(out, y):
    return 0 * (out - y).square().mean(-1)


def test_members_of_several_rules_share_a_cohort_and_equal_themselves_alone():
    optimizers = [h.SGD(lr=0.1), h.Adam(lr=0.003), h.Muon(lr=0.02), h.ScheduleFreeSGD(lr=0.1)]
    fields = {"steps": 10, "dtype": "float64", "groups": {"*.bias": {"lr": 0.5}}, "base_width": 8}
    runs = [Run.of(recipe_of(32, optimizer=o.dump(), **fields), 0) for o in optimizers]
    together = advance(start(runs, test=False)).outcomes
    for index, run in enumerate(runs):
        (alone,) = advance(start([run], test=False)).outcomes.values()
        found = together[index].series("batch/loss")
        assert found == pytest.approx(alone.series("batch/loss"), abs=1e-10)


def test_the_plain_form_has_it_only_where_it_is_asked_for():
    assert "parametrization" not in BASE.dump() and "base_width" not in BASE.dump()
    with pytest.raises(SpecError, match="expected parametrization 'mup' beside it"):
        BASE.with_values({"base_width": 32})


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"model": h.Linear().dump()}, "model whose hidden layers have a width"),
        (
            {"model": h.Transformer(width=96, heads=8).dump()},
            "heads of the same size at base_width 64 as at width 96 .12 features each",
        ),
        ({"optimizer": h.Adafactor(lr=0.01).dump()}, "how its updates follow .* got Adafactor"),
        ({"optimizer": {"name": "torch.optim.Adam"}}, "how its updates follow .* got torch"),
    ],
)
def test_what_has_no_row_in_the_table_is_refused_by_the_plan(fields, said):
    recipe = BASE.with_values({"parametrization": "mup"} | fields)
    with pytest.raises(HarnessError, match=said):
        check_study(h.Study(name="no", question="?", recipe=recipe))
