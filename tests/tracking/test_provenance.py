"""What a study says it was run with."""

from __future__ import annotations

import json

import pytest

from harness.tracking import provenance
from harness.tracking.provenance import Environment, public_command, read_environment


def test_environment_has_its_fields_as_plain_values():
    environment = read_environment()
    assert environment.keys() == Environment.__annotations__.keys()
    assert json.loads(json.dumps(environment)) == environment
    assert environment["packages"]["torch"] and environment["cores"] >= 1
    assert environment["processor"] and environment["memory_gib"] > 0


@pytest.mark.parametrize(
    "words, shown",
    [
        (["/bin/harness", "run", "s.py", "--store", "sqlite:///secret.db"], "harness run s.py"),
        (["/bin/harness", "--reports=/mine", "run", "s.py"], "harness run s.py"),
        (["/x/harness/__main__.py", "run", "s.py", "--seeds", "3"], "harness run s.py --seeds 3"),
        (["study.py", "--storage"], "study.py"),
    ],
)
def test_places_of_results_are_left_out_of_the_command(words, shown):
    assert public_command(words) == shown


def test_the_commit_of_an_image_comes_from_the_environment(monkeypatch):
    monkeypatch.setattr(provenance, "in_checkout", lambda folder: False)
    monkeypatch.setenv("HARNESS_COMMIT", "abc")
    environment = read_environment.__wrapped__()
    assert environment["commit"] == "abc"
