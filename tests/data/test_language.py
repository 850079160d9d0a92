"""Languages: their entropy is what is said, their parts do not overlap, and a GPT comes to the bound and not below."""

import numpy as np
import pytest
from scipy import stats

import harness as h
from harness.core.errors import HarnessError
from harness.data.base import load_data


@pytest.mark.parametrize("order", [1, 2])
def test_stationary_distribution_is_the_eigenvector(order):
    chain = h.Markov(symbols=4, order=order, concentration=1.0)
    rows, size = chain.transitions(), 4**order
    # state (a, b) goes to (b, c) with P(c | a, b)
    matrix = np.zeros((size, size))
    for state in np.ndindex(rows.shape[:-1]):
        for c in range(4):
            after = (*state[1:], c)
            matrix[np.ravel_multi_index(state, rows.shape[:-1])][
                np.ravel_multi_index(after, rows.shape[:-1])
            ] += rows[(*state, c)]
    values, vectors = np.linalg.eig(matrix.T)
    one = np.real(vectors[:, np.argmin(abs(values - 1))])
    expected = one / one.sum()
    np.testing.assert_allclose(chain.stationary().ravel(), expected, rtol=1e-9)
    entropy = sum(
        p * stats.entropy(row) for p, row in zip(expected, rows.reshape(-1, 4), strict=True)
    )
    assert chain.entropy_rate() == pytest.approx(entropy, rel=1e-9)


@pytest.mark.parametrize("order", [1, 2])
def test_sequences_are_of_the_chain(order):
    chain = h.Markov(symbols=3, order=order, concentration=1.0, samples=3000, context=20)
    raw = chain.raw()
    tokens = np.concatenate([raw.x, raw.y[:, -1:]], 1)
    assert (raw.y[:, order - 1 :] == tokens[:, order:]).all()
    assert (raw.y[:, : order - 1] == -100).all()
    # counts of each state's successors, each a draw of its row
    counts = np.zeros((3,) * (order + 1))
    columns = [tokens[:, i : tokens.shape[1] - order + i].ravel() for i in range(order + 1)]
    np.add.at(counts, tuple(columns), 1)
    for state in np.ndindex(counts.shape[:-1]):
        expected = chain.transitions()[state] * counts[state].sum()
        assert stats.chisquare(counts[state], expected).pvalue > 1e-4
    starts = np.bincount(raw.x[:, 0], minlength=3)
    marginal = chain.stationary().sum(tuple(range(1, order)))
    assert stats.chisquare(starts, marginal * 3000).pvalue > 1e-4


def test_a_gpt_comes_within_two_percent_of_the_bound_and_not_below():
    """The entropy rate, and on the test sequences themselves the loss of the true probabilities."""
    chain = h.Markov(symbols=6, order=1, context=16, samples=4000)
    test = load_data(chain).test
    least, rate = chain.least_loss(test.x, test.y), chain.entropy_rate()
    surprise = -np.log(chain.transitions()[test.x, test.y])
    error = surprise.std() / np.sqrt(surprise.size)
    assert least == pytest.approx(rate, abs=4 * error)
    recipe = h.Recipe(
        data=chain,
        model=h.GPT(width=16, layers=1, heads=2),
        optimizer=h.Muon(lr=0.02, adam_lr=0.01),
        schedule="Cosine",
        batch_size=32,
        steps=250,
        eval_every=250,
    )
    loss = h.train(recipe, seeds=2, test=True).runs["test/loss"]
    assert (loss < 1.02 * least).all() and (loss < 1.02 * rate + 4 * error).all()
    # a model beats the truth on finite data by less than the error of a mean over them
    assert (loss > least - error / 10).all()


def test_induction_is_told_by_the_last_place_of_the_symbol_and_by_no_distance():
    x, y = h.Induction(samples=500).raw()[:2]
    counted = y >= 0
    assert 0.3 < counted.mean() < 0.8
    found = np.full_like(y, -1)
    for row, symbols in enumerate(x):
        for t in range(1, len(symbols)):
            before = np.flatnonzero(symbols[:t] == symbols[t])
            if len(before):
                found[row, t] = symbols[before[-1] + 1]
    assert (found[counted] == y[counted]).all()
    for distance in range(17):
        guess = np.roll(x, distance, 1)
        assert (guess[counted] == y[counted]).mean() < 0.5
    pairs = np.zeros((16, 16))
    np.add.at(pairs, (x[counted], y[counted]), 1)
    assert pairs.max() / pairs.sum(1).max() < 0.2, "the symbol alone does not tell either"


def test_windows_of_a_text_are_its_bytes_in_time(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = bytes(np.random.default_rng(0).integers(0, 256, 1000, dtype=np.uint8))
    (tmp_path / "a.txt").write_bytes(text)
    data = load_data(h.Text(path="a.txt", context=9))
    parts = [data.train, data.valid, data.test]
    assert (data.task, data.outputs, data.vocabulary) == ("tokens", 256, 256)
    joined = np.concatenate([part.x.ravel() for part in parts])
    assert bytes(joined.astype(np.uint8)) == text[:999]
    following = np.concatenate([part.y.ravel() for part in parts])
    assert bytes(following.astype(np.uint8)) == text[1:1000]
    assert len(data.test.x) == 22 and h.Text(path="a.txt", context=9).sample_tokens() == 9
    short = load_data(h.Text(path="a.txt", context=9, train_size=5))
    assert (short.train.x == data.train.x[-5:]).all(), "the latest are kept"


@pytest.mark.parametrize(
    "data, said",
    [
        ({"name": "Text", "path": "a.txt"}, "expected at least 641 bytes"),
        ({"name": "Text", "path": "b.txt"}, "found no 'b.txt'"),
        ({"name": "Markov", "standardize": True}, "inputs of Markov are tokens"),
        ({"name": "Markov", "label_noise": 0.1}, "data.label_noise: expected 0"),
        ({"name": "Induction", "symbols": 8}, "at least 16 symbols"),
    ],
)
def test_mistakes_are_said(tmp_path, monkeypatch, data, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.txt").write_bytes(b"too short")
    with pytest.raises((HarnessError, ValueError), match=said):
        load_data(h.Data.parse(data))


@pytest.mark.slow
def test_a_small_gpt_learns_to_look_back_for_what_came_next():
    """At least 3 symbols differ from the next one, so that a guess is right in 1 of 5 at most."""
    recipe = h.Recipe(
        data=h.Induction(symbols=8, context=16, samples=2000),
        model=h.GPT(layers=2, width=32, heads=2, positions="rotary"),
        optimizer=h.Adam(lr=0.005),
        batch_size=64,
        steps=200,
        eval_every=200,
    )
    curve = h.train(recipe).curves["valid/accuracy"]
    assert curve.iloc[0] < 0.2 and curve.iloc[-1] > 0.3
