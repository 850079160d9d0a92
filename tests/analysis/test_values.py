"""One number a run: closing values, gaps, and numbers over curves."""

import pytest

from harness.analysis.values import values_of
from tests.analysis.made import results, study


def test_gap_is_test_less_train_loss_and_train_less_test_accuracy():
    values = {
        n: {
            "test/loss": [3.0] * 4,
            "train/loss": [1.0] * 4,
            "test/accuracy": [0.6] * 4,
            "train/accuracy": [0.9] * 4,
        }
        for n in "ABC"
    }
    tables = results(study(seeds=4), values)
    assert values_of(tables, "A", "gap/loss").tolist() == [[2.0] * 4]
    assert values_of(tables, "A", "gap/accuracy")[0] == pytest.approx([0.3] * 4)


def test_numbers_over_the_curve():
    curves = {
        n: {"valid/loss": [[4.0, 2.0, 1.0, 3.0]], "valid/accuracy": [[0.1, 0.5, 0.7, 0.6]]}
        for n in "ABC"
    }
    tables = results(study(seeds=1), losses_of(1), curves=curves)
    assert [
        values_of(tables, "A", f"{kind}/valid/loss")[0, 0]
        for kind in ("initial", "lowest", "highest", "mean")
    ] == [
        4,
        1,
        4,
        2.5,
    ]
    assert values_of(tables, "A", "rank_correlation/valid")[0, 0] == pytest.approx(
        -1.0 + 2 * 0.1 - 0.2 * 1.0, abs=0.21
    )


def test_the_mean_of_a_ratio_of_estimates_is_the_ratio_of_their_means():
    """The mean of the single ratios, 2·10⁶, is ruled by the one signal near 0 (McCandlish et al. 2018)."""
    variance, signal = [[8.0, 6.0, 4.0]], [[2.0, 1e-6, 1.0]]
    scale = [
        [v / s for v, s in zip(*rows, strict=True)] for rows in zip(variance, signal, strict=True)
    ]
    noise = {"noise/variance": variance, "noise/signal": signal, "noise/scale": scale}
    tables = results(study(seeds=1), losses_of(1), curves=dict.fromkeys("ABC", noise))
    assert values_of(tables, "A", "mean/noise/scale")[0] == pytest.approx(18 / 3.000001)
    assert values_of(tables, "A", "mean/noise/variance")[0] == pytest.approx(6)


def losses_of(seeds):
    return {n: {"test/loss": [1.0] * seeds} for n in "ABC"}
