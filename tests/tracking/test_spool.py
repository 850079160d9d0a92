"""The spool: everything arrives, in order and once, whatever happens to the store or to the
process."""

from __future__ import annotations

import json
import threading

import pytest

from harness.core.errors import StoreError
from harness.tracking import retry
from harness.tracking.retry import StoreUnavailable
from harness.tracking.spool import Spool


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(retry, "PAUSES", (0.01,))


class Shaky:
    """A store that is away every time but each third."""

    def __init__(self):
        self.got, self.again, self.calls = [], [], 0

    def __call__(self, batch, again):
        self.calls += 1
        self.again.append(again)
        if self.calls % 3:
            raise StoreUnavailable("away")
        self.got.append(batch["n"])


def test_all_arrives_in_order_and_once_although_the_store_is_mostly_away(tmp_path):
    store = Shaky()
    spool = Spool(tmp_path, store)
    for n in range(10):
        spool.put({"n": n})
    spool.flush()
    spool.close()
    assert store.got == list(range(10)) and not list(tmp_path.glob("*.json"))
    assert store.again == [False, True, True] * 10, "a second attempt knows that it is one"


def test_what_a_killed_process_left_is_sent_first_and_with_care(tmp_path):
    (tmp_path / "00000007.json").write_text(json.dumps({"n": "old"}))
    (tmp_path / "00000008.part").write_text('{"n": "to')
    got = []
    spool = Spool(tmp_path, lambda batch, again: got.append((batch["n"], again)))
    spool.put({"n": "new"})
    spool.flush()
    spool.close()
    assert got == [("old", True), ("new", False)]


def test_training_goes_on_until_too_much_waits(tmp_path):
    gate, put = threading.Event(), []
    spool = Spool(tmp_path, lambda batch, again: gate.wait(10) and None, limit=300)

    def produce():
        for n in range(6):
            spool.put({"n": n, "text": "x" * 100})
            put.append(n)

    producer = threading.Thread(target=produce)
    producer.start()
    producer.join(0.5)
    assert put == [0, 1] and producer.is_alive(), (
        "two batches of 120 bytes fit in 300, the third waits for room"
    )
    gate.set()
    producer.join(10)
    spool.flush()
    spool.close()
    assert put == list(range(6))


def refusing(batch, again):
    raise StoreError("no such experiment")


def absent(batch, again):
    raise StoreUnavailable("nobody there")


@pytest.mark.parametrize(
    "deliver, said", [(refusing, "no such experiment"), (absent, "nobody there")]
)
def test_giving_up_says_why_and_keeps_the_records(tmp_path, deliver, said):
    spool = Spool(tmp_path, deliver, patience=0.05)
    spool.put({"n": 0})
    with pytest.raises(StoreError, match=f"{said}.*1 batches of them in {tmp_path}"):
        spool.flush()
    with pytest.raises(StoreError, match=said):
        spool.put({"n": 1})
    spool.close()
    got = []
    after = Spool(tmp_path, lambda batch, again: got.append(batch["n"]))
    after.flush()
    after.close()
    assert got == [0, 1]


def test_one_process_at_a_time(tmp_path):
    spool = Spool(tmp_path, lambda batch, again: None)
    with pytest.raises(StoreError, match="another process"):
        Spool(tmp_path, lambda batch, again: None)
    spool.close()
    Spool(tmp_path, lambda batch, again: None).close()


def test_closing_ends_the_waiting_and_keeps_the_batch(tmp_path):
    spool = Spool(tmp_path, absent)
    spool.put({"n": 0})
    spool.close()
    assert [json.loads(path.read_text()) for path in tmp_path.glob("*.json")] == [{"n": 0}]
