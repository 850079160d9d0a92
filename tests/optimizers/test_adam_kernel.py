"""Adam's compiled update against torch.optim's in float64, and the contracts of a member's bits."""

import pytest
import torch

from harness.core.parameter_layout import layout_of
from harness.optimizers.adam import Adam, AdamW
from tests.kernels import compiled_here

compiled = pytest.fixture(scope="module", autouse=True)(compiled_here)

MEMBERS, WIDTH = 3, 37  # no whole vectors
LAYOUT = layout_of({"w": (WIDTH,)})
NUMBERS = {
    "lr": [0.1, 0.01, 0.003],
    "beta1": [0.9, 0.0, 0.8],
    "beta2": [0.999, 0.99, 0.9],
    "eps": [1e-8, 1e-4, 0.1],
    "weight_decay": [0.0, 0.1, 1.0],
}
RULES = {"Adam": Adam(lr=1), "AdamW": AdamW(lr=1)}
"""Their numbers are not used."""


def hyper_of(columns: int = 1) -> dict[str, torch.Tensor]:
    numbers = {name: torch.tensor(values).unsqueeze(1) for name, values in NUMBERS.items()}
    wide = {name: numbers[name].repeat(1, columns) for name in ("lr", "weight_decay")}
    return {**numbers, **wide}


def drawn(steps: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    """First weights (K, C) and gradients (S, K, C) of sizes far apart."""
    generator = torch.Generator().manual_seed(0)
    scale = torch.logspace(-4, 2, WIDTH)
    w = torch.randn(MEMBERS, WIDTH, generator=generator)
    return w, torch.randn(steps, MEMBERS, WIDTH, generator=generator) * scale


def trained(optimizer, hyper, parts=(slice(0, WIDTH),)):
    """Weights, means and means of squares after all updates, of columns moved part by part."""
    w, g_SKC = drawn()
    after = []
    for part in parts:
        own = w[:, part].clone()
        numbers = {name: x if x.shape[1] == 1 else x[:, part] for name, x in hyper.items()}
        state = optimizer.init(own)
        for g in g_SKC:
            kept = g.clone()
            own, state = optimizer.update(g[:, part], state, own, numbers, LAYOUT)
            assert torch.equal(g, kept)
        assert state.t == len(g_SKC)
        after.append((own, state.m_KP, state.v_KP))
    return tuple(torch.cat(tensors, 1) for tensors in zip(*after, strict=True))


@pytest.mark.parametrize("name", RULES)
def test_it_moves_as_torch_does_in_float64(name):
    w_KC, g_SKC = drawn()
    ours, *_ = trained(RULES[name], hyper_of())
    for k in range(MEMBERS):
        w = w_KC[k].double().requires_grad_()
        number = {field: values[k] for field, values in NUMBERS.items()}
        given = {"lr": number["lr"], "betas": (number["beta1"], number["beta2"])}
        decay = {"weight_decay": number["weight_decay"]} if name == "AdamW" else {}
        theirs = getattr(torch.optim, name)([w], **given, **decay, eps=number["eps"])
        for g in g_SKC[:, k]:
            w.grad = g.double()
            theirs.step()
        torch.testing.assert_close(ours[k].double(), w.detach(), rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("corrects", [True, False])
@pytest.mark.parametrize("name", RULES)
def test_it_is_another_form_of_pytorch_s(name, corrects, monkeypatch):
    optimizer = RULES[name].model_copy(update={"bias_correction": corrects})
    kernel = trained(optimizer, hyper_of())
    monkeypatch.setattr("harness.optimizers.adam_kernel.library", lambda: None)
    pure = trained(optimizer, hyper_of())
    for ours, theirs in zip(kernel, pure, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    assert not torch.equal(kernel[0], pure[0])


@pytest.mark.parametrize("name", RULES)
def test_bits_depend_neither_on_the_cut_of_a_row_nor_on_numbers_for_each_weight(name):
    whole = trained(RULES[name], hyper_of())
    parts = [slice(0, 5), slice(5, 21), slice(21, 22), slice(22, WIDTH)]
    for hyper, cut in (
        (hyper_of(WIDTH), [slice(0, WIDTH)]),
        (hyper_of(), parts),
        (hyper_of(WIDTH), parts),
    ):
        for ours, theirs in zip(trained(RULES[name], hyper, cut), whole, strict=True):
            assert torch.equal(ours, theirs)


def test_what_is_no_number_stays_none():
    w, g_SKC = drawn(1)
    g_SKC[0, 0, 3] = torch.nan
    w, state = RULES["Adam"].update(g_SKC[0], RULES["Adam"].init(w), w, hyper_of(), LAYOUT)
    for rows in (w, state.m_KP, state.v_KP):
        assert rows.isnan().nonzero().tolist() == [[0, 3]]


def test_float64_is_left_to_pytorch():
    w = torch.zeros(1, 4, dtype=torch.float64)
    hyper = {name: value[:1].double() for name, value in hyper_of().items()}
    moved, _ = RULES["Adam"].update(torch.ones_like(w), RULES["Adam"].init(w), w, hyper, LAYOUT)
    torch.testing.assert_close(moved, torch.full_like(w, -0.1), rtol=1e-6, atol=0)
