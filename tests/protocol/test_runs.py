"""Keys of runs."""

from tests.studies import small


def test_the_code_of_a_probe_is_part_of_a_run_s_key(monkeypatch):
    from harness.protocol import runs
    from harness.spec.arms import Run
    from tests.plugins import WeightSum

    seen = []
    monkeypatch.setattr(runs, "code_of", lambda targets: seen.append(targets) or "")
    runs.key_of(Run.of(small().recipe, 0, (WeightSum(),)))
    assert seen == [(WeightSum,)]
