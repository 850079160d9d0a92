"""One driver a study: on one machine, between machines, after kills, and taken over."""

import json
import signal
import socket
import subprocess
import sys
import time

import pytest

from harness.core.errors import StoreError
from harness.tracking import Session, lease
from harness.tracking.lease import Holder, Lease
from harness.tracking.sqlite_file import _put_in_place
from tests.tracking.made import ABOUT

SERVER = "http://server:5000"


class Board:
    """A store's tag, in memory."""

    def __init__(self, text=""):
        self.text = text

    def read_driver(self):
        return self.text

    def write_driver(self, text):
        self.text = text


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    for name, seconds in (("BEAT", 0.05), ("STALE", 0.5), ("SETTLING", 0.01)):
        monkeypatch.setattr(lease, name, seconds)


def elsewhere(**fields):
    return Holder("other", "far-away", 7, 1.0, "ann", "2026-01-01 10:00:00 UTC", 5.0)._replace(
        **fields
    )


def written(holder):
    return json.dumps(holder._asdict())


def test_a_holder_who_gives_signs_of_life_keeps_the_study():
    class Living(Board):
        def read_driver(self):
            holder = Holder.parse(self.text)
            if holder.host == "far-away":
                self.text = written(holder._replace(beat=holder.beat + 1))
            return self.text

    board = Living(written(elsewhere()))
    with pytest.raises(StoreError, match=r"ann on far-away \(process 7.*--take-over"):
        Lease(board, SERVER, "s")
    assert Holder.parse(board.text).owner == "other"
    # the refused one holds nothing: it can try again at once, and may take over
    taken = Lease(board, SERVER, "s", take_over=True)
    assert Holder.parse(board.text).owner == taken.me.owner
    taken.release()
    assert board.text == ""


@pytest.mark.parametrize(
    "left",
    [
        written(elsewhere()),  # no beat any more
        written(elsewhere(host=socket.gethostname(), pid=2**22 + 1)),  # a process that is gone
        "not JSON",
        '{"of": "a later version"}',
    ],
)
def test_a_holder_who_is_gone_is_followed(left):
    board = Board(left)
    own = Lease(board, SERVER, "s")
    assert Holder.parse(board.text).owner == own.me.owner
    own.release()


def test_a_process_with_the_number_of_another_is_not_the_holder():
    me = Holder.this_process()
    assert not me.gone and me._replace(born=me.born - 100).gone


def test_whoever_is_taken_over_stops(caplog):
    board = Board()
    first = Lease(board, SERVER, "s")
    board.text = written(elsewhere())
    until = time.monotonic() + 5
    while not first._lost and time.monotonic() < until:
        time.sleep(0.01)
    with pytest.raises(StoreError, match="taken over by ann on far-away"):
        first.check()
    first.release()
    assert Holder.parse(board.text).owner == "other"  # not taken away again


def test_of_two_that_take_it_at_once_one_gives_up():
    class Late(Board):
        def write_driver(self, text):
            self.text = written(elsewhere())  # the other's write came after ours

    with pytest.raises(StoreError, match="taken over"):
        Lease(Late(), SERVER, "s")


def test_a_store_that_is_away_ends_no_lease():
    class Away(Board):
        def read_driver(self):
            if self.text:
                raise OSError("away")
            return self.text

    own = Lease(Away(), "sqlite:///" + str(lease.cache_folder() / "x.db"), "s")
    time.sleep(0.2)
    own.check()
    own.release()


HOLD = """
import sys, time
from harness.tracking import Session
from tests.tracking.made import ABOUT
session = Session("s", sys.argv[1])
session.open(ABOUT, ())
print("open", flush=True)
time.sleep(60)
"""


@pytest.mark.slow
def test_a_second_process_is_told_and_a_killed_one_followed_at_once(folder):
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    command = [sys.executable, "-c", HOLD, uri]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "open\n"
        session = Session("s", uri)
        with pytest.raises(StoreError, match=rf"process {process.pid}.*kill {process.pid}"):
            session.open(ABOUT, ())
        Session("another", uri).open(ABOUT, ())  # other studies are free
        process.send_signal(signal.SIGKILL)
        process.wait()
    session.open(ABOUT, ())
    session.close()


def test_a_database_that_is_there_is_not_replaced(tmp_path):
    fresh, path = tmp_path / "fresh", tmp_path / "mlflow.db"
    fresh.write_text("mine")
    path.write_text("theirs")
    _put_in_place(fresh, path)
    assert path.read_text() == "theirs"
    path.unlink()
    _put_in_place(fresh, path)
    assert path.read_text() == "mine"
