"""Dropout: what is dropped, what the rest is multiplied by, and who draws."""

import pytest
import torch

from harness.models.base import Context
from harness.models.dropout import dropout, dropout_mask


class Drawn:
    """Streams that have drawn already: the same numbers (K, *shape) at every call."""

    def __init__(self, members=2):
        self.members = members

    def uniform(self, *shape):
        stream = torch.Generator().manual_seed(0)
        return torch.rand(self.members, *shape, generator=stream, dtype=torch.float64)


def context(*rates, training=True):
    rates = torch.tensor(rates, dtype=torch.float64) if rates else None
    return Context(training=training, noise=Drawn(), dropout=rates)


def test_each_member_drops_its_own_share_and_keeps_the_expectation():
    h = torch.ones(2, 200, 100, dtype=torch.float64)
    out = dropout(h, context(0.2, 0.5))
    assert out.unique().tolist() == pytest.approx([0.0, 1.25, 2.0])
    for k, rate in enumerate((0.2, 0.5)):
        assert (out[k] == 0).double().mean() == pytest.approx(rate, abs=0.02)
        assert out[k].mean() == pytest.approx(1.0, abs=0.03)


def test_a_rate_of_0_drops_nothing():
    h = torch.randn(2, 30, 10, dtype=torch.float64)
    assert torch.equal(dropout(h, context(0.0, 0.5))[0], h[0])


def test_what_is_dropped_does_not_depend_on_the_neighbours_rates():
    h = torch.ones(2, 30, 10, dtype=torch.float64)
    one, other = (dropout(h, context(0.3, rate))[0] for rate in (0.0, 0.9))
    assert torch.equal(one, other)


@pytest.mark.parametrize("ctx", [context(), context(0.5, 0.5, training=False), Context()])
def test_nothing_is_drawn_in_evaluation_and_where_no_member_drops(ctx):
    h = torch.ones(2, 3, 4)
    assert dropout_mask(h, ctx) is None and dropout(h, ctx) is h
