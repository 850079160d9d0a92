"""Batches are written while the driver goes on: one at a time, in order, and none silently lost."""

import threading
import time

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


def test_a_refusal_is_told_as_soon_as_somebody_asks():
    store = Store()

    def refuse(batch, again):
        store.write(batch, again)
        raise StoreError("refused")

    background = Background(refuse)
    background.check()
    background.put({"n": 1})
    background.check()  # nothing is known of it yet, and nobody waits
    store.free.set()
    with pytest.raises(StoreError, match="refused"):
        until_told(background)
    background.close()


def until_told(background):
    until = time.monotonic() + SOON
    while time.monotonic() < until:
        background.check()
        time.sleep(0.01)


@pytest.mark.parametrize("back", [True, False])
def test_a_store_that_is_away_is_asked_once_more_at_the_end(monkeypatch, caplog, back):
    monkeypatch.setattr(retry, "PAUSES", (0.3,))
    tried, away = [], threading.Event()

    def absent(batch, again):
        tried.append(again)
        away.set()
        if len(tried) == 1 or not back:
            raise StoreUnavailable("it is away")

    background = Background(absent, patience=SOON)
    background.put({"n": 1})
    assert away.wait(SOON)
    background.close()
    assert tried == [False, True]
    assert ("it is away; the runs of the last cohort are not kept" in caplog.text) is not back
    background.close()
