"""What is recorded at an evaluation: the noise of the minibatches, the best evaluation."""

import harness as h

BASE = {"data": h.Digits(train_size=200), "model": h.MLP(widths=(8,)), "optimizer": h.SGD(lr=0.1)}


def test_noise_of_the_batches_is_that_of_von_neumann():
    trained = h.train(h.Recipe(**BASE, steps=40, eval_every=20, batch_size=10))
    assert trained.curves["batch/noise"].dropna().between(0.01, 1.0).all()
    whole = h.train(h.Recipe(**BASE, steps=40, eval_every=20, batch_size="full"))
    assert whole.curves["batch/noise"].dropna().max() < trained.curves["batch/noise"].dropna().min()


def test_the_best_epoch_is_recorded():
    trained = h.train(h.Recipe(**BASE | {"optimizer": h.Adam(lr=0.05)}, epochs=30))
    curve = trained.curves.set_index("epoch")["valid/loss"]
    assert (
        trained.runs["best/epoch"][0] == curve.idxmin()
        and trained.runs["best/valid/loss"][0] == curve.min()
    )
