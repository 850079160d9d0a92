"""Probes against autograd in float64 and published numbers; none changes the training; the same alone and in a cohort."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

import harness as h
from harness.core.parameter_layout import layout_of
from harness.core.registry import REGISTRY, lookup
from harness.data.base import load_data
from harness.probes.base import Scene
from harness.probes.noise import NoiseScale
from harness.spec.resolved import resolve

MODELS = {
    "mlp": {"model": h.MLP(widths=(12, 9))},
    "deep": {"model": h.MLP(widths=(6, 6, 6), activation="tanh", residual=True, dropout=0.2)},
    "batch norm": {"model": h.MLP(widths=(10, 10), norm="batch")},
    "cnn": {"model": h.CNN1D(channels=5), "data": "mnist1d"},
    "transformer": {"model": h.Transformer(width=8, heads=2, depth=1)},
}


def recipe(model="mlp", **fields):
    base = {
        "data": h.Digits(train_size=200),
        "batch_size": 50,
        "steps": 9,
        "eval_every": 3,
        "dtype": "float64",
        "optimizer": h.SGD(lr=0.05, momentum=0.9),
    }
    return h.Recipe(
        **base | (MODELS[model] if isinstance(model, str) else {"model": model}) | fields
    )


def every(*names, stride=2):
    return [{"name": name, "every": stride, "unit": "steps"} for name in names]


def table(found, prefix):
    columns = [c for c in found.curves if c.startswith(f"{prefix}/")]
    return found.curves.dropna(subset=columns[:1]).set_index(["seed", "step"])[columns]


@pytest.mark.parametrize("model", MODELS)
def test_probes_change_nothing_and_measure_the_same_alone_and_together(model):
    names = [name for name in REGISTRY["probe"].parts if lookup("probe", name).repeatable]
    plain = h.train(recipe(model), seeds=3)
    together = h.train(recipe(model), seeds=3, probes=every(*names))
    alone = h.train(recipe(model), seeds=3, probes=every(*names), cohort=1)
    for column in ("valid/loss", "train/loss", "test/loss"):
        assert list(plain.runs[column]) == list(together.runs[column])
    shared = sorted(set(together.curves) & set(alone.curves))
    pd.testing.assert_frame_equal(
        together.curves[shared], alone.curves[shared], rtol=1e-7, atol=1e-10
    )
    for seed, arrays in together.arrays.items():
        assert set(arrays) == {"calibration/bins", "confusion/matrix", "slice/line", "slice/plane"}
        for name, array in arrays.items():
            np.testing.assert_allclose(alone.arrays[seed][name], array, rtol=1e-7, atol=1e-10)
    assert {c.partition("/")[0] for c in shared} >= {
        "gradient",
        "update",
        "activation",
        "alignment",
        "descent",
        "noise",
        "gradcheck",
    }


@pytest.mark.parametrize("name", REGISTRY["probe"].parts)
def test_a_run_that_diverges_is_an_outcome_with_any_probe(name):
    spec = recipe(optimizer=h.SGD(lr=1e9), loss="mse", dtype="float32", steps=12, eval_every=12)
    found = h.train(spec, seeds=2, probes=every(name, stride=1))
    assert list(found.runs["status"]) == ["diverged", "diverged"]


def test_norms_and_cosines_are_those_of_a_plain_pytorch_loop():
    spec = recipe(batch_order="sequential")
    found = h.train(
        spec, seeds=1, probes=every("GradientNorm", "UpdateRatio", "Alignment", stride=1)
    )
    data = load_data(spec.data)
    x, y = torch.tensor(data.train.x), torch.tensor(data.train.y)
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 9), nn.ReLU(), nn.Linear(9, 10)
    ).double()
    from harness.engine.initialize import initial_weights
    from harness.engine.program import program_of

    program = program_of(resolve(spec))
    start = program.layout.views(initial_weights(program, [0]))
    with torch.no_grad():
        for p, w in zip(net.parameters(), start.values(), strict=True):
            p.copy_(w[0])
    optimizer = torch.optim.SGD(net.parameters(), 0.05, 0.9)
    gradient, update, alignment = (table(found, p) for p in ("gradient", "update", "alignment"))
    last = None
    for step in range(9):
        rows = torch.arange(50) + 50 * (step % 4)
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x[rows]), y[rows].argmax(1)).backward()
        g = torch.cat([p.grad.flatten() for p in net.parameters()])
        before = [p.detach().clone() for p in net.parameters()]
        optimizer.step()
        moved = [p.detach() - b for p, b in zip(net.parameters(), before, strict=True)]
        assert gradient.loc[(0, step), "gradient/all"] == pytest.approx(float(g.norm()), rel=1e-9)
        assert gradient.loc[(0, step), "gradient/hidden.1"] == pytest.approx(
            float(net[2].weight.grad.norm()), rel=1e-9
        )
        ratio = float(net[0].weight.grad.norm() / net[2].weight.grad.norm())
        assert gradient.loc[(0, step), "gradient/ratio"] == pytest.approx(ratio, rel=1e-9)
        assert update.loc[(0, step), "update/out"] == pytest.approx(
            float(moved[4].norm() / before[4].norm()), rel=1e-9
        )
        if last is not None:
            cosine = nn.functional.cosine_similarity(g, last, dim=0)
            assert alignment.loc[(0, step), "alignment/gradients"] == pytest.approx(
                float(cosine), rel=1e-9
            )
        last = g


def test_first_order_decrease_is_exact_in_the_limit_and_second_order_in_its_error():
    found = [
        h.train(recipe("deep", optimizer=h.SGD(lr=lr)), probes=every("Descent")).curves[
            ["descent/error", "descent/error2"]
        ]
        for lr in (1e-2, 1e-3, 1e-4)
    ]
    first, second = np.array([errors.mean() for errors in found]).T
    assert first[:-1] / first[1:] == pytest.approx(10, rel=0.1)
    assert second[:-1] / second[1:] == pytest.approx(100, rel=0.1)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("loss", ["CrossEntropy", "MSE", "Huber"])
def test_gradients_agree_with_finite_differences(model, loss):
    probe = {"name": "GradientCheck", "step": 1e-6, "unit": "steps"}
    found = h.train(recipe(model, loss=loss, steps=3), probes=[probe])
    assert found.curves["gradcheck/error"].median() < 1e-6


def test_a_wrong_gradient_is_noticed(monkeypatch):
    from harness.models.activation import Tanh

    monkeypatch.setattr(Tanh, "derivative", lambda self, d, z: d * (1 - z))
    spec = recipe(model=h.MLP(widths=(8,), activation="tanh"), steps=3)
    assert (
        h.train(spec, probes=every("GradientCheck", stride=1)).curves["gradcheck/error"].min()
        > 1e-4
    )


def noise_scene(g_of):
    layout = layout_of({"w": (50,)})
    empty = torch.zeros(1, layout.width)
    tensors = {name: empty for name in ("moved_KP", "g_KP", "x_KB", "y_KBD")}
    unused = dict.fromkeys(
        (
            "losses",
            "noise_free",
            "products",
            "hidden",
            "preconditioner",
            "stability_threshold",
            "held",
            "evaluated",
            "limits",
            "grams",
            "sample_norms",
        )
    )
    own = {"gradients": g_of, "samples": lambda n, _: (torch.zeros(1, n, 1),) * 2}
    return Scene(
        step=0,
        last=False,
        layout=layout,
        lr_K=torch.ones(1),
        workspace_2KP=torch.stack([empty, empty]),
        **tensors,
        **unused,
        **own,
    )


def test_noise_scale_of_mccandlish_s_model():
    """d = 50, G = 0.1, σ from 0.5 to 1.5: tr(Σ)/|G|² = 108.673."""
    rng = np.random.default_rng(0)
    sigma = np.linspace(0.5, 1.5, 50)

    def gradients(w_KP, x_KB, y_KBD):
        drawn = 0.1 + sigma * rng.normal(size=(1, 50)) / np.sqrt(x_KB.shape[1])
        return torch.nn.functional.pad(torch.tensor(drawn), (0, 14))

    probe, memory, sums = NoiseScale(small=8, large=128, decay=0.0), {}, np.zeros(2)
    for _ in range(4000):
        found = probe.measure(noise_scene(gradients), memory)
        sums += [float(found["variance"]), float(found["signal"])]
    assert sums[0] / sums[1] == pytest.approx(108.673, rel=0.02)


def ratio_of(first="hidden.0", **fields):
    """Return the first to the last of 30 layers of 256 sigmoids, Xavier's normal weights, no biases, at the start."""
    model = h.MLP(**{"widths": (256,) * 30, "activation": "sigmoid", "bias": False} | fields)
    data = h.TeacherStudent(features=256)
    spec = recipe(
        model, init=h.Xavier(distribution="normal"), steps=1, eval_every=1, data=data, batch_size=64
    )
    start = h.train(spec, probes=every("GradientNorm")).curves.iloc[0]
    if first == "hidden.0":
        assert start["gradient/ratio"] == pytest.approx(
            start["gradient/hidden.0"] / start["gradient/hidden.29"]
        )
    return start[f"gradient/{first}"] / start["gradient/hidden.29"]


def test_gradients_vanish_through_thirty_sigmoid_layers_and_are_cured():
    assert ratio_of() < 1e-15
    assert ratio_of(norm="batch") > 0.1
    assert ratio_of("hidden.1", residual=True) > 0.1  # the first layer has no skip around it


def test_xavier_halves_the_mean_square_of_relu_layers_and_he_keeps_it():
    def ratio(init):
        spec = recipe(
            model=h.MLP(widths=(256,) * 11),
            init=init,
            steps=1,
            eval_every=1,
            data="mnist1d",
            batch_size=64,
        )
        return (
            h.train(spec, seeds=8, probes=every("Activations"))
            .curves.groupby("seed")["activation/ratio"]
            .first()
        )

    assert (ratio("Xavier") ** 2).mean() ** (1 / 10) == pytest.approx(0.5, rel=0.05)
    assert (ratio("He") ** 2).mean() ** (1 / 10) == pytest.approx(1.0, rel=0.05)


def test_distance_is_from_the_initial_weights():
    found = h.train(recipe(), probes=every("Distance", "UpdateRatio", stride=1)).curves
    assert found["distance/all"].iloc[0] == 0
    assert found["distance/all"].iloc[1] == pytest.approx(found["update/norm"].iloc[0])
    assert found["distance/all"].iloc[8] <= found["update/norm"].iloc[:8].sum()


def test_spread_is_that_of_the_gradients_of_single_samples():
    from harness.core.streams import numpy_stream
    from harness.engine.hyperparameters import hyperparameters
    from harness.engine.initialize import initial_weights
    from harness.engine.program import program_of
    from harness.engine.training_loss import Minibatch

    spec = recipe(steps=1, eval_every=1)
    program = program_of(resolve(spec))
    w_KP = initial_weights(program, [0])
    rows = numpy_stream(0, "spread", 0).permutation(program.train.size)[:16]
    hyper = hyperparameters([program.recipe], program.device, program.dtype)
    singles = [Minibatch(program.train.x[None, [i]], program.train.y[None, [i]]) for i in rows]
    differentiator = program.differentiator
    g = torch.stack([differentiator.gradient(w_KP, {}, one, hyper).g_KP[0] for one in singles])
    found = h.train(spec, probes=every("GradientSpread")).curves.iloc[0]
    assert found["spread/ratio"] == pytest.approx(float(g.var(0).sum().sqrt() / g.mean(0).norm()))
    pairs = [(g[i] @ g[j] < 0).item() for i in range(16) for j in range(i)]
    assert found["spread/conflict"] == pytest.approx(np.mean(pairs))


def test_calibration_is_that_of_the_held_out_predictions():
    data = h.Digits(train_size=200)
    spec = recipe(data=data, steps=40, eval_every=40)
    trained = h.train(spec, probes=[{"name": "Calibration", "unit": "steps", "every": 40}])
    found, found_arrays = trained.curves, trained.arrays[0]
    last = found.dropna(subset=["calibration/error"]).iloc[-1]
    assert 0 < last["calibration/error"] < 1 and 0.1 < last["calibration/confidence"] < 1
    count, confidence, accuracy = found_arrays["calibration/bins"]
    assert count.sum() == len(load_data(data).valid.y)
    assert np.average(confidence, weights=count) == pytest.approx(last["calibration/confidence"])
    gaps = np.abs(accuracy - confidence)
    assert np.average(gaps, weights=count) == pytest.approx(last["calibration/error"])
    filled = count > 0
    assert (np.floor(confidence[filled] * 15) == np.flatnonzero(filled)).all()
    assert not [
        c
        for c in h.train(
            recipe(data="diabetes", loss=None, steps=2, eval_every=1), probes=["Calibration"]
        ).curves
        if "calibration" in c
    ]


def held_out_guesses(spec):
    """Return the held-out classes and a plain network's guesses before the last of 20 updates."""
    from harness.engine.cohort import start
    from harness.engine.loop import advance
    from harness.engine.program import program_of
    from harness.spec.arms import Run

    program = program_of(resolve(spec))
    cohort = advance(start([Run.of(spec, 0)], False), 19)
    layers = [w[0].numpy() for w in program.layout.views(cohort.w_KP).values()]
    h_BF = program.valid.x.flatten(1).numpy()
    for w, b in zip(layers[0:-2:2], layers[1:-2:2], strict=True):
        h_BF = np.maximum(h_BF @ w.T + b, 0)
    return program.valid.y.argmax(1).numpy(), (h_BF @ layers[-2].T + layers[-1]).argmax(1)


def test_confusion_is_scikit_learn_s():
    from sklearn.metrics import confusion_matrix, recall_score

    spec = recipe(steps=20, eval_every=1)
    true, guess = held_out_guesses(spec)
    found = h.train(spec, probes=[h.Confusion(every="ends")])
    np.testing.assert_array_equal(
        found.arrays[0]["confusion/matrix"], confusion_matrix(true, guess, labels=range(10))
    )
    recalls = recall_score(true, guess, average=None)
    last = found.curves.dropna(subset=["confusion/worst"]).iloc[-1]
    assert [last[f"confusion/accuracy{c}"] for c in range(10)] == pytest.approx(recalls)
    assert last["confusion/worst"] == recalls.min()


def test_generalization_gap_is_that_of_the_evaluation_at_the_same_step():
    found = h.train(recipe(eval_every=1), probes=every("GeneralizationGap", stride=1)).curves.iloc[
        :-1
    ]
    assert list(found["generalization/loss"]) == pytest.approx(
        list(found["valid/loss"] - found["train/loss"])
    )
    assert list(found["generalization/accuracy"]) == pytest.approx(
        list(found["train/accuracy"] - found["valid/accuracy"])
    )


def test_slices_of_a_quadratic_are_its_closed_forms():
    """f(θ) = ½θᵀQθ of DeepOBS: a parabola along any line, and around the final weights."""
    spec = h.Recipe(
        data="quadratic_deep",
        optimizer=h.SGD(lr=0.01),
        batch_size=10,
        steps=30,
        eval_every=30,
        dtype="float64",
    )
    found = h.train(spec, seeds=2, probes=[h.LossSlice(points=8, plane=5, samples=10_000)])
    for arrays in found.arrays.values():
        alpha, line = arrays["slice/line"]
        assert alpha[0] == -0.25 and alpha[-1] == 1.5
        fit = np.polynomial.Polynomial.fit(alpha, line, 2)
        np.testing.assert_allclose(fit(alpha), line, rtol=1e-9)
        assert arrays["slice/plane"].shape == (5, 5)
    assert (found.curves["slice/barrier"].dropna() < 1e-9).all()


def test_slices_around_the_weights_have_the_final_loss_in_their_middle():
    spec = recipe(
        batch_size="full",
        steps=12,
        eval_every=12,
        data=h.Digits(train_size=200, valid_fraction=0.0),
    )
    found = h.train(spec, probes=[h.LossSlice(points=15, plane=3, samples=10_000)])
    closing = found.runs["train/loss"].iloc[0]
    alpha, line = found.arrays[0]["slice/line"]
    plane = found.arrays[0]["slice/plane"]
    assert line[np.argmin(np.abs(alpha - 1))] == pytest.approx(closing) and plane[
        1, 1
    ] == pytest.approx(closing)
    assert line[np.argmin(np.abs(alpha))] == pytest.approx(found.curves["train/loss"].iloc[0])


def test_throughput_counts_the_samples_of_the_whole_cohort(monkeypatch):
    from harness.probes import throughput

    clock = iter(range(100))
    monkeypatch.setattr(throughput, "time", SimpleNamespace(perf_counter=lambda: 2.0 * next(clock)))
    for_two = h.train(recipe(), seeds=2, probes=every("Throughput", stride=4)).curves.dropna(
        subset=["throughput/samples"]
    )
    assert list(for_two["throughput/updates"]) == [2.0, 2.0] * 2
    assert list(for_two["throughput/samples"]) == [2.0 * 50 * 2] * 4
    assert (for_two["throughput/memory"] > 50).all()


def test_saturated_outputs_are_counted():
    def found(scale, activation):
        model = h.MLP(widths=(10, 10), activation=activation)
        spec = recipe(model=model, init=h.Normal(std=scale), steps=1, eval_every=1)
        return h.train(spec, probes=every("Activations")).curves.iloc[0]

    assert (
        found(100.0, "tanh")["activation/saturated"] > 0.95
        and found(100.0, "sigmoid")["activation/hidden.0/saturated"] > 0.95
    )
    assert found(1e-3, "tanh")["activation/saturated"] == 0.0
    assert "activation/saturated" not in found(1.0, "relu")


def test_spread_of_activations_is_numpy_s():
    spec = recipe(batch_order="sequential", steps=1, eval_every=1)
    found = h.train(spec, probes=every("Activations")).curves.iloc[0]
    from harness.engine.initialize import initial_weights
    from harness.engine.program import program_of

    program = program_of(resolve(spec))
    w, b, *_ = (v[0].numpy() for v in program.layout.views(initial_weights(program, [0])).values())
    hidden = np.maximum(program.train.x[:50].flatten(1).numpy() @ w.T + b, 0)
    named = {"mean": hidden.mean(), "std": hidden.std(), "rms": np.sqrt((hidden**2).mean())}
    assert {name: found[f"activation/hidden.0/{name}"] for name in named} == pytest.approx(named)


def test_dead_units_are_counted():
    spec = recipe(model=h.MLP(widths=(10,)), init=h.Normal(std=0.0), steps=1, eval_every=1)
    assert h.train(spec, probes=every("Activations")).curves["activation/dead"].iloc[0] == 1.0


@pytest.mark.parametrize(
    "probe, due",
    [
        (h.GradientNorm(every=2), {0, 8, 16, 19}),
        (h.GradientNorm(every=5, unit="steps"), {0, 5, 10, 15, 19}),
        (h.GradientNorm(every="log"), {0, 1, 2, 4, 8, 16, 19}),
        (h.LossSlice(), {0, 19}),
    ],
)
def test_cadence(probe, due):
    assert {step for step in range(20) if probe.timing(per_epoch=4, steps=20)(step)} == due


def test_a_probe_of_one_s_own_is_found_by_its_dotted_name():
    found = h.train(
        recipe(), probes=[{"name": "tests.plugins.WeightSum", "every": 1, "unit": "steps"}]
    )
    assert found.curves["sum/all"].notna().sum() == 9


@pytest.mark.gpu
def test_probes_on_the_gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    names = [n for n in REGISTRY["probe"].parts if n not in ("NoiseScale", "Throughput")]
    cpu, gpu = (
        h.train(recipe(device=d), seeds=2, probes=every(*names)).curves for d in ("cpu", "cuda")
    )
    pd.testing.assert_frame_equal(cpu, gpu, rtol=1e-6)
