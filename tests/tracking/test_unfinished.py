"""Runs that are being sent when a new driver opens the study: left to a sender that lives, deleted
of one that is gone."""

from __future__ import annotations

import pytest

from harness.core.study_record import StudyRecord
from harness.spec.arms import Arm
from harness.tracking import Session, sharing
from harness.tracking.client_api import ClientApi
from harness.tracking.schema import Tag
from tests.tracking.conftest import use_client
from tests.tracking.made import ABOUT, RECIPE, record, recorded


@pytest.fixture(autouse=True)
def quick(folder, monkeypatch):
    use_client(monkeypatch)
    for name, seconds in (("BEAT", 0.05), ("STALE", 0.6), ("POLL", 0.02)):
        monkeypatch.setattr(sharing, name, seconds)


def opened(join=None):
    session = Session("s", join=join)
    return session, session.open(ABOUT, [Arm("arm", {}, RECIPE)])


def leaves(session):
    """Return the stages of life and the statuses of all training runs, by key."""
    client, experiment = session._experiment.client, session._experiment.id
    found = client.search_runs([experiment], run_view_type=3)
    runs = [run for run in found if Tag.KEY in run.data.tags]
    return {run.data.tags[Tag.KEY]: (run.info.lifecycle_stage, run.info.status) for run in runs}


@pytest.fixture
def interrupted(monkeypatch):
    """Make something happen between the requests by which runs are sent."""

    def interrupt(happens):
        original = ClientApi._send

        def send(api, run, data, file):
            log_batch = api.client.log_batch

            def log(*arguments):
                api.client.log_batch = log_batch
                happens()
                return log_batch(*arguments)

            api.client.log_batch = log
            return original(api, run, data, file)

        monkeypatch.setattr(ClientApi, "_send", send)

    return interrupt


@pytest.mark.parametrize("shares", [True, False])
def test_a_run_of_a_driver_that_lives_is_left_to_it(interrupted, shares):
    owner, _ = opened("same")
    joined, _ = opened("same")
    assert joined.joined
    later = []

    def another_opens():
        owner.close()
        later.append(opened("same" if shares else None))
        assert leaves(joined) == {"k0": ("active", "RUNNING")}
        later[0][0].write_answer(StudyRecord([], [], {}, {}, {}), {"runs": 0}, "")

    interrupted(another_opens)
    recorded(joined, record())
    ((session, known),) = later
    assert leaves(session) == {"k0": ("active", "FINISHED")} and known == {}
    assert set(session.known_now()) == {"k0"}
    for each in (joined, session):
        each.close()


def test_a_run_of_a_driver_that_is_gone_is_deleted(interrupted):
    owner, _ = opened("same")
    joined, _ = opened("same")

    def killed():
        joined.sharing.close()  # no more signs of life
        raise KeyboardInterrupt

    interrupted(killed)
    with pytest.raises(KeyboardInterrupt):
        recorded(joined, record())
    assert leaves(owner) == {"k0": ("active", "RUNNING")}
    owner.close()
    session, known = opened()
    assert leaves(session) == {"k0": ("deleted", "RUNNING")} and known == {}
    session.close()


def test_the_owner_answers_while_one_that_lives_is_sending(interrupted):
    owner, _ = opened("same")
    joined, _ = opened("same")

    def answered():
        owner.write_answer(StudyRecord([], [], {}, {}, {}), {"runs": 0}, "")

    interrupted(answered)
    recorded(joined, record())
    assert leaves(owner) == {"k0": ("active", "FINISHED")}
    for each in (joined, owner):
        each.close()


def test_what_arrives_while_it_is_looked_is_known(interrupted, monkeypatch):
    owner, _ = opened("same")
    joined, _ = opened("same")
    living, looked = sharing.living_drivers, []

    def opens_when_half_sent():
        owner.close()

        def arrives(experiment, drivers):
            client = experiment.client
            (run,) = client.search_runs([experiment.id], "attributes.status = 'RUNNING'")
            client.set_terminated(run.info.run_id)
            looked.append(drivers)
            return living(experiment, drivers)

        monkeypatch.setattr("harness.tracking.unfinished.living_drivers", arrives)
        session, known = opened()
        assert looked == [{joined.sharing.me}] and set(known) == {"k0"}
        session.close()

    interrupted(opens_when_half_sent)
    recorded(joined, record())
    joined.close()
