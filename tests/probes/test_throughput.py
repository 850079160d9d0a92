"""Samples and updates a second, by a clock of our own."""

from types import SimpleNamespace

import harness as h
from tests.probes.recipes import every, recipe


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
