"""Logistic regression by gradient descent, in NumPy alone."""

import numpy as np


def problem(split):
    """Return two Gaussian clouds: training, validation and test part."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 1500)
    x = rng.normal(size=(1500, 20)) + 0.5 * y[:, None]
    order = np.random.default_rng(split).permutation(1000)
    parts = order[:800], order[800:], np.arange(1000, 1500)
    return [(x[part], y[part]) for part in parts]


def loss_of(w, x, y):
    """Return the mean logistic loss."""
    return np.logaddexp(0, (1 - 2 * y) * (x @ w)).mean()


def train(run):
    """Descend for run.steps minibatches, with momentum."""
    (x, y), valid, test = problem(run.split)
    w, m, step = np.random.normal(size=20), np.zeros(20), 0
    while not run.should_stop(step):
        step += 1
        batch = np.random.randint(0, len(x), run.config["batch_size"])
        p = 1 / (1 + np.exp(-x[batch] @ w))
        m = run.config["momentum"] * m + x[batch].T @ (p - y[batch]) / len(batch)
        w = w - run.config["lr"] * m
        if step % 20 == 0:
            run.log(step, valid_loss=loss_of(w, *valid))
    if run.confirming:
        run.test(loss=loss_of(w, *test))
