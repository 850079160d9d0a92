"""Curvature against the full Hessian; the edge of stability is a group of harness.verification."""

import pytest
import torch

import harness as h
from harness.engine.hyperparameters import stack_hyperparameters
from harness.engine.program import program_of
from harness.engine.training_loss import Minibatch
from harness.probes.curvature import lanczos
from harness.spec.resolved import resolve
from tests.probes.recipes import every, recipe


def full_hessian(spec, w_KP, x, y):
    program = program_of(resolve(spec))

    def loss(row):
        buffers = {n: b.to(row.dtype)[None] for n, b in program.network.buffers().items()}
        hyper = stack_hyperparameters([program.recipe], program.device, program.dtype)
        params, batch = program.layout.views(row[None]), Minibatch(x, y)
        return program.training_loss(params, buffers, batch, hyper)[0][0]

    return torch.autograd.functional.hessian(loss, w_KP[0])


@pytest.mark.parametrize("model", ["mlp", "batch norm", "cnn", "transformer"])
def test_eigenvalues_and_trace_are_those_of_the_full_hessian(model):
    from harness.engine.initialize import initial_weights

    small = {"mlp": h.MLP(widths=(6, 5), activation="tanh"), "batch norm": h.MLP(widths=(6,), norm="batch", activation="tanh"),
             "cnn": h.CNN1D(channels=3), "transformer": h.Transformer(width=4, heads=2, depth=1, patch=8)}  # fmt: skip
    spec = recipe(small[model], data=h.Digits(train_size=60), batch_size=30, steps=1, eval_every=1)
    probe = {
        "name": "Curvature",
        "top": 3,
        "iterations": 60,
        "tolerance": 0,
        "vectors": 400,
        "samples": 60,
        "unit": "steps",
    }
    measured = h.train(spec, seeds=2, probes=[probe]).curves.iloc[0]
    program = program_of(resolve(spec))
    hessian = full_hessian(
        spec, initial_weights(program, [0]), program.train.x[None], program.train.y[None]
    )
    eigenvalues = torch.linalg.eigvalsh(hessian).flip(0)
    assert [measured[f"curvature/{n}"] for n in ("top", "top2", "top3")] == pytest.approx(
        eigenvalues[:3].tolist(), rel=1e-5
    )
    spread = float((2 * hessian.pow(2).sum() / 400).sqrt())
    assert abs(measured["curvature/trace"] - float(hessian.trace())) < 4 * spread


def test_lanczos_finds_the_top_of_a_large_spectrum_quickly():
    values = torch.cat(
        [
            torch.linspace(-1, 1, 500, dtype=torch.float64),
            torch.tensor([5.0, 7.0], dtype=torch.float64),
        ]
    )
    start = torch.randn(2, 502, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    spectrum = lanczos(lambda v: v * values, start, 20, top=2)
    assert spectrum.values_KT.tolist() == [pytest.approx([7.0, 5.0], rel=1e-6)] * 2
    assert spectrum.vector_KP[0, -1].abs() == pytest.approx(1.0, abs=1e-4)


def test_lanczos_ends_early_where_it_may_and_each_row_by_itself():
    values = torch.linspace(0, 1, 400, dtype=torch.float64) ** 4
    start = torch.randn(2, 400, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    start[1, -1] = 300.0  # nearly there
    made = []

    def product(v):
        made.append(len(v))
        return v * values

    both = lanczos(product, start, 60, tolerance=0.02)
    assert len(made) < 60
    assert both.values_KT[:, 0].tolist() == pytest.approx([1.0, 1.0], rel=0.02**1.5)
    alone = [lanczos(product, row[None], 60, tolerance=0.02) for row in start]
    torch.testing.assert_close(
        both.values_KT, torch.cat([a.values_KT for a in alone]), rtol=1e-12, atol=0
    )
    assert both.vector_KP.tolist() == [
        pytest.approx(a.vector_KP[0].tolist(), abs=1e-12) for a in alone
    ]


def test_lanczos_keeps_its_basis_orthogonal_in_float32():
    """A gap of 10,000 between eigenvalues; with one pass of Gram-Schmidt the error is 3e-4."""
    values = torch.cat([torch.tensor([1e4, 5.0, 4.0]), torch.linspace(-1, 1, 300)])
    start = torch.randn(1, 303, generator=torch.Generator().manual_seed(0))
    spectrum = lanczos(lambda v: v * values, start, 40, top=3)
    assert spectrum.values_KT[0].tolist() == pytest.approx([1e4, 5.0, 4.0], rel=2e-6)


@pytest.mark.parametrize(
    "optimizer, threshold",
    [
        (h.SGD(lr=0.1), 20.0),
        (h.SGD(lr=0.1, momentum=0.9), 38.0),
        (h.SGD(lr=0.1, momentum=0.9, nesterov=True), 38 / 2.8),
        (h.Adam(lr=0.001), 38_000.0),
        (h.RMSprop(lr=0.01), 200.0),
    ],
)
def test_the_threshold_is_where_a_quadratic_stops_being_stable(optimizer, threshold):
    measured = h.train(recipe(optimizer=optimizer), probes=every("Curvature")).curves
    assert measured["curvature/stability_threshold"].dropna().iloc[0] == pytest.approx(
        threshold, rel=1e-6
    )
    if isinstance(optimizer, h.SGD):
        assert not diverges(optimizer, 0.98 * threshold) and diverges(optimizer, 1.02 * threshold)


def diverges(optimizer, curvature):
    from harness.core.parameter_layout import layout_of

    w, state = (
        torch.ones(1, 64, dtype=torch.float64),
        optimizer.init(torch.ones(1, 64, dtype=torch.float64)),
    )
    hyper = {n: torch.tensor([[v]], dtype=torch.float64) for n, v in optimizer.numbers().items()}
    for _ in range(3000):
        w, state = optimizer.update(curvature * w, state, w.clone(), hyper, layout_of({"w": (64,)}))
    return not float(w.abs().max()) < 1e3


def test_optimizers_of_different_kinds_in_one_cohort_keep_their_own_thresholds():
    from harness.engine.cohort import start
    from harness.engine.loop import advance
    from harness.probes.base import Probe
    from harness.spec.arms import Run

    probes = (Probe.parse({"name": "Curvature", "unit": "steps"}),)
    optimizers = [h.SGD(lr=0.1), h.Adam(lr=0.01), h.Lion(lr=0.001)]
    runs = [Run.of(recipe(optimizer=optimizer), 0, probes) for optimizer in optimizers]
    points = {i: o.points[0].metrics for i, o in advance(start(runs, test=False)).outcomes.items()}
    assert points[0]["curvature/stability_threshold"] == pytest.approx(20) and points[1][
        "curvature/stability_threshold"
    ] == pytest.approx(3800)
    assert "curvature/stability_threshold" not in points[2] and points[2][
        "curvature/top"
    ] == pytest.approx(points[0]["curvature/top"])
