"""Every metric against scikit-learn in float64, and what all of them hold to: a new one joins by one row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from scipy.special import log_softmax, softmax
from sklearn import metrics as sk

import harness as h
from harness.catalog import KINDS
from harness.core.errors import HarnessError
from harness.core.metric_names import describe
from harness.engine.tally import Tally
from harness.metrics.scored import score


class Case(NamedTuple):
    """A metric, and the same computed by others."""

    metric: Any
    reference: Callable[[np.ndarray, np.ndarray], float]
    """(outputs (N, C) in float64, targets) ↦ the metric; the targets are classes (N,), or numbers (N, D)."""
    outputs: int = 4
    """Classes, or numbers of a target."""
    numbers: bool = False


def by_guess(reference, **options):
    return lambda out, y: reference(y, out.argmax(1), **options)


def by_positive(reference):
    return lambda out, y: reference(y, out[:, 1] - out[:, 0])


def by_probability(reference, **options):
    # torch's own probabilities: another rounding of the last digit would break ties
    def probability(out):
        return torch.log_softmax(torch.as_tensor(out), -1).exp().numpy()

    return lambda out, y: reference(y, probability(out), **options)


def nll(out, y):
    return sk.log_loss(y, softmax(out, 1), labels=range(out.shape[1]))


def of_numbers(reference):
    return lambda out, y: reference(y, out)


BINARY, MACRO, MICRO = ({"average": a, "zero_division": 0} for a in ("binary", "macro", "micro"))
CASES = {
    "top2": Case(
        h.TopK(k=2), lambda out, y: sk.top_k_accuracy_score(y, out + TIES, k=2, labels=range(4))
    ),
    "f1": Case(h.F1(), by_guess(sk.f1_score, **BINARY), 2),
    "f1 of classes": Case(h.F1(), by_guess(sk.f1_score, **MACRO)),
    "f1_macro": Case(h.F1(average="macro"), by_guess(sk.f1_score, **MACRO), 2),
    "f1_micro": Case(h.F1(average="micro"), by_guess(sk.f1_score, **MICRO)),
    "f1_binary": Case(h.F1(average="binary"), by_guess(sk.f1_score, **BINARY), 2),
    "precision": Case(h.Precision(), by_guess(sk.precision_score, **BINARY), 2),
    "precision of classes": Case(h.Precision(), by_guess(sk.precision_score, **MACRO)),
    "precision_micro": Case(h.Precision(average="micro"), by_guess(sk.precision_score, **MICRO), 2),
    "recall": Case(h.Recall(), by_guess(sk.recall_score, **BINARY), 2),
    "recall of classes": Case(h.Recall(), by_guess(sk.recall_score, **MACRO)),
    "balanced_accuracy": Case(h.BalancedAccuracy(), by_guess(sk.balanced_accuracy_score)),
    "mcc": Case(h.MCC(), by_guess(sk.matthews_corrcoef)),
    "auroc": Case(h.AUROC(), by_positive(sk.roc_auc_score), 2),
    "auroc of classes": Case(
        h.AUROC(), by_probability(sk.roc_auc_score, multi_class="ovr", average="macro")
    ),
    "average_precision": Case(h.AveragePrecision(), by_positive(sk.average_precision_score), 2),
    "average_precision of classes": Case(
        h.AveragePrecision(), by_probability(sk.average_precision_score, average="macro")
    ),
    "perplexity": Case(h.Perplexity(), lambda out, y: np.exp(nll(out, y))),
    "bits_per_byte": Case(
        h.BitsPerByte(bytes_per_token=2.5), lambda out, y: nll(out, y) / np.log(2) / 2.5
    ),
    "brier": Case(h.Brier(), lambda out, y: sk.brier_score_loss(y, softmax(out, 1)[:, 1]), 2),
    "brier of classes": Case(h.Brier(), by_probability(sk.brier_score_loss, labels=range(4))),
    "mae": Case(h.MeanAbsoluteError(), of_numbers(sk.mean_absolute_error), 3, True),
    "rmse": Case(h.RMSE(), of_numbers(sk.root_mean_squared_error), 3, True),
    "r2": Case(h.R2(), of_numbers(sk.r2_score), 3, True),
}
TIES = -1e-9 * np.arange(4)
"""scikit-learn takes the last of equal outputs for the largest, and we the first, as argmax does."""
SAMPLES = 97


def drawn(case, seed=0, samples=SAMPLES):
    """Outputs (3, N, C) of three members, with many ties, and targets, of rare and common classes."""
    rng = np.random.default_rng(seed)
    out = (8 * rng.normal(size=(3, samples, case.outputs))).round() / 8  # exact in float32
    if case.numbers:
        return out, rng.normal(3.0, 2.0, size=(samples, case.outputs))
    share = np.arange(1, case.outputs + 1.0)
    return out, rng.choice(case.outputs, samples, p=share / share.sum())


def one_hot(y, outputs):
    return np.eye(outputs)[y]


def measured(case, out, y):
    """The metric's values, (K,)."""
    target = torch.as_tensor(y if case.numbers else one_hot(y, case.outputs))
    values = case.metric.measure(score(torch.as_tensor(out), target, numbers=case.numbers))
    assert list(values) == [case.metric.recorded]
    return values[case.metric.recorded]


@pytest.fixture(params=CASES)
def case(request):
    return CASES[request.param]


def test_every_metric_has_a_row():
    measured = {c.metric.name for c in CASES.values()}
    assert measured == set(KINDS["metric"].parts) - {"Logged"}, "which measures nothing"


def test_it_is_what_scikit_learn_computes(case):
    for seed in range(3):
        out, y = drawn(case, seed)
        expected = [case.reference(own, y) for own in out]
        assert measured(case, out, y).tolist() == pytest.approx(expected, abs=1e-12, rel=1e-12)


def test_float32_outputs_are_summed_in_float64(case):
    out, y = drawn(case)
    single = measured(case, out.astype(np.float32), y)
    assert single.dtype == torch.float64
    assert single.tolist() == pytest.approx(measured(case, out, y).tolist(), abs=1e-6)


def test_classes_may_be_whole_numbers(case):
    if case.numbers:
        pytest.skip("of numbers")
    out, y = drawn(case)
    values = case.metric.measure(score(torch.as_tensor(out), torch.as_tensor(y)))
    assert torch.equal(values[case.metric.recorded], measured(case, out, y))


def test_neither_order_nor_pieces_nor_other_members_matter(case):
    out, y = drawn(case)
    whole = measured(case, out, y)
    order = np.random.default_rng(1).permutation(SAMPLES)
    torch.testing.assert_close(
        measured(case, out[:, order], y[order]), whole, atol=1e-12, rtol=1e-12
    )
    tally = Tally([case.metric])
    for piece in np.split(np.arange(SAMPLES), [1, 40, 41]):
        target = torch.as_tensor(y[piece] if case.numbers else one_hot(y[piece], case.outputs))
        tally.add(score(torch.as_tensor(out[:, piece]), target, numbers=case.numbers))
    torch.testing.assert_close(tally.values()[case.metric.recorded], whole, atol=1e-12, rtol=1e-12)
    for row in range(3):
        assert torch.equal(measured(case, out[row : row + 1], y)[0], whole[row])


def test_its_direction_is_known_and_right(case):
    """Outputs that are right are better than outputs that say nothing, which are better than none the worse."""
    out, y = drawn(case)
    right = y if case.numbers else 5 * one_hot(y, case.outputs)
    worse = measured(case, out, y).mean()
    best = measured(case, np.stack([right] * 3), y)[0]
    known = describe(f"valid/{case.metric.recorded}")
    assert known.description and known.label.startswith("validation ")
    assert (best > worse) == known.larger_is_better
    if known.larger_is_better:
        assert worse >= known.least
    assert case.metric.declared() == {}


def test_tokens_are_samples_and_padding_is_none():
    case = CASES["perplexity"]
    out, y = drawn(case)
    tokens = torch.as_tensor(out[:, :96]).view(3, 8, 12, 4)
    targets = torch.as_tensor(y[:96]).view(8, 12).clone()
    plain = case.metric.measure(score(tokens, targets))["perplexity"]
    assert torch.equal(plain, measured(case, out[:, :96], y[:96]))
    targets[:, 7:] = -100
    kept = np.arange(96).reshape(8, 12)[:, :7].ravel()
    masked = case.metric.measure(score(tokens, targets, ignored=-100))["perplexity"]
    expected = [case.reference(own[kept], y[kept]) for own in out]
    assert masked.tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "only"),
    [("auroc", 0), ("auroc", 1), ("average_precision", 0), ("average_precision", 1),
     ("auroc of classes", 2), ("mcc", 1), ("f1", 0), ("recall", 0), ("precision", 0)],
)  # fmt: skip
def test_one_class_alone_defines_nothing(name, only):
    case = CASES[name]
    out, _ = drawn(case)
    assert measured(case, out, np.full(SAMPLES, only)).isnan().all()


def test_numbers_that_never_change_explain_nothing():
    case = CASES["r2"]
    out, y = drawn(case)
    assert measured(case, out, np.zeros_like(y)).isnan().all()
    assert measured(case, np.zeros_like(out), np.zeros_like(y)).isnan().all()


@pytest.mark.parametrize("name", ["f1 of classes", "precision of classes", "balanced_accuracy"])
@pytest.mark.filterwarnings("ignore:y_pred contains classes")
def test_classes_that_a_part_lacks_count_as_in_scikit_learn(name):
    case = CASES[name]
    out, y = drawn(case)
    out[..., 3] = -9  # never predicted
    for kept in (y != 0, (y != 3) & (y != 0), y == 1):
        expected = [case.reference(own[kept], y[kept]) for own in out]
        assert measured(case, out[:, kept], y[kept]).tolist() == pytest.approx(expected)


def test_ties_of_the_largest_output_go_to_the_first_class_as_for_the_accuracy():
    out, y = np.zeros((1, 4, 4)), np.arange(4)
    assert measured(CASES["top2"], out, y).item() == 0.5


def test_huge_outputs_are_no_trouble():
    case = CASES["perplexity"]
    out, y = np.array([[[1e4, -1e4], [-1e4, 1e4]]]), np.array([0, 1])
    wide = case._replace(outputs=2)
    assert measured(wide, out, y).item() == pytest.approx(1.0)
    assert log_softmax(out[0], 1)[0, 0] == 0.0


@pytest.mark.parametrize(
    ("metric", "task", "outputs", "said"),
    [
        (h.F1(), "regression", 1, "f1 is for classification .it compares classes., got regression"),
        (h.RMSE(), "classification", 3, "rmse is for regression .it compares numbers."),
        (
            h.F1(average="binary"),
            "classification",
            3,
            "f1_binary is for two classes, got 3; use f1",
        ),
        (h.TopK(k=3), "classification", 3, "top3 is 1 for 3 classes; expected k below that"),
    ],
)
def test_it_is_refused_where_it_means_nothing(metric, task, outputs, said):
    with pytest.raises(HarnessError, match=said):
        metric.check_data(task, outputs)
