"""Data of a user's own are the same whenever and wherever they are made, or refused."""

import pytest

import harness as h
from harness.core.errors import HarnessError, SpecError
from harness.data.base import Data, fingerprint
from harness.data.same_data import check_made_again, known_fingerprint
from harness.execution.jobs import Job, perform
from harness.protocol.check import check_study
from harness.spec.arms import Run

HERE = "tests.data.given_drawn"


def recipe(data):
    return h.Recipe(data=data, model=h.Linear(), optimizer=h.SGD(lr=0.1), batch_size=16, epochs=1)


def test_a_split_without_a_seed_is_refused_before_anything_trains():
    arms = {"optimizer": {"sgd": h.SGD(lr=0.1), "adam": h.Adam(lr=0.1)}}
    study = h.Study(name="drawn", recipe=recipe(f"{HERE}.unseeded"), compare=arms, seeds=4)
    with pytest.raises(SpecError, match="when they were made again; give whatever is drawn a seed"):
        check_study(study)
    check_study(study.model_copy(update={"recipe": recipe(f"{HERE}.seeded")}))


@pytest.mark.parametrize("split", [0, 1])
def test_a_worker_compares_what_it_makes_with_what_the_study_knows(split):
    data = Data.parse({"name": f"{HERE}.seeded", "split": split})
    known = known_fingerprint(data)
    assert known == fingerprint(data)
    run = Run.of(recipe(data), 0)
    assert not perform(Job((0,), (run,), test=False, data=(known,))).error
    failed = perform(Job((0,), (run,), test=False, data=("0" * 64,)))
    assert "got others in a worker process; give whatever is drawn a seed" in failed.error


def test_the_harness_s_own_data_are_not_made_twice(monkeypatch):
    assert known_fingerprint(Data.parse("iris")) == ""

    def refuse(self):
        raise HarnessError("made")

    check_made_again(iris := Data.parse("iris"))
    monkeypatch.setattr(type(iris), "raw", refuse)
    check_made_again(iris)


def test_halves_of_a_job_keep_the_fingerprints_of_their_runs():
    runs = tuple(Run.of(recipe("iris"), seed) for seed in range(3))
    first, second = Job((0, 1, 2), runs, test=False, data=("a", "b", "c")).halves()
    assert (first.data, second.data) == (("a",), ("b", "c"))
