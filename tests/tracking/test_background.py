"""Batches are written while the driver goes on: one at a time, in order, and none silently lost."""

import threading

import pytest

from harness.core.errors import StoreError
from harness.tracking import retry
from harness.tracking.background import Background
from harness.tracking.retry import StoreUnavailable

SOON = 10.0
"""Seconds after which a test fails that would wait for ever."""


class Store:
    """Keeps what is written, once it is let."""

    def __init__(self):
        self.free, self.asked, self.kept = threading.Event(), threading.Event(), []

    def write(self, batch, again):
        self.asked.set()
        assert self.free.wait(SOON)
        self.kept.append(batch["n"])


def test_one_batch_is_on_its_way_while_the_caller_goes_on():
    store = Store()
    background = Background(store.write)
    background.put({"n": 1})
    assert store.asked.wait(SOON) and store.kept == []
    second = threading.Thread(target=background.put, args=({"n": 2},))
    second.start()
    second.join(0.2)
    assert second.is_alive(), "a kill would cost more than one batch"
    store.free.set()
    second.join(SOON)
    background.flush()
    assert store.kept == [1, 2]
    background.close()


def test_closing_waits_for_the_batch_on_its_way():
    store = Store()
    background = Background(store.write)
    background.put({"n": 1})
    threading.Timer(0.2, store.free.set).start()
    background.close()
    assert store.kept == [1]
    background.close()


@pytest.mark.parametrize("told_by", ["put", "flush"])
def test_what_was_refused_is_told_once(told_by):
    kept = []

    def refuse_the_first(batch, again):
        if batch["n"] == 1:
            raise StoreError("refused")
        kept.append(batch["n"])

    background = Background(refuse_the_first)
    background.put({"n": 1})
    with pytest.raises(StoreError, match="refused"):
        background.put({"n": 2}) if told_by == "put" else background.flush()
    background.put({"n": 3})
    background.close()
    assert kept == [3]


def test_closing_ends_the_wait_for_a_store_that_is_away(monkeypatch):
    monkeypatch.setattr(retry, "PAUSES", (0.05,))
    tried, away = [], threading.Event()

    def absent(batch, again):
        tried.append(again)
        away.set()
        raise StoreUnavailable("away")

    background = Background(absent, patience=SOON)
    background.put({"n": 1})
    assert away.wait(SOON)
    background.close()
    made = len(tried)
    assert tried[0] is False and all(tried[1:])
    with pytest.raises(StoreError, match="ended before the store was back"):
        background.flush()
    assert len(tried) == made
