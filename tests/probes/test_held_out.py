"""What probes say of held-out samples, against scikit-learn and the evaluations."""

import numpy as np
import pytest

import harness as h
from harness.data.base import load_data
from harness.spec.resolved import resolve
from tests.probes.recipes import every, recipe


def test_calibration_is_that_of_the_held_out_predictions():
    data = h.Digits(train_size=200)
    spec = recipe(data=data, steps=40, eval_every=40)
    trained = h.train(spec, probes=[{"name": "Calibration", "unit": "steps", "every": 40}])
    curves, arrays = trained.curves, trained.arrays[0]
    last = curves.dropna(subset=["calibration/error"]).iloc[-1]
    assert 0 < last["calibration/error"] < 1 and 0.1 < last["calibration/confidence"] < 1
    count, confidence, accuracy = arrays["calibration/bins"]
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
    trained = h.train(spec, probes=[h.Confusion(every="ends")])
    np.testing.assert_array_equal(
        trained.arrays[0]["confusion/matrix"], confusion_matrix(true, guess, labels=range(10))
    )
    recalls = recall_score(true, guess, average=None)
    last = trained.curves.dropna(subset=["confusion/worst"]).iloc[-1]
    assert [last[f"confusion/accuracy{c}"] for c in range(10)] == pytest.approx(recalls)
    assert last["confusion/worst"] == recalls.min()


def test_generalization_gap_is_that_of_the_evaluation_at_the_same_step():
    curves = h.train(recipe(eval_every=1), probes=every("GeneralizationGap", stride=1)).curves.iloc[
        :-1
    ]
    assert list(curves["generalization/loss"]) == pytest.approx(
        list(curves["valid/loss"] - curves["train/loss"])
    )
    assert list(curves["generalization/accuracy"]) == pytest.approx(
        list(curves["train/accuracy"] - curves["valid/accuracy"])
    )
