"""Stores that are none or can't be reached: one sentence, soon."""

import socket
import threading
import time
from contextlib import suppress

import pytest

from harness.core.errors import StoreError
from harness.tracking import Reader, list_studies


@pytest.mark.parametrize(
    "uri",
    ["http://[bad", "http://localhost:99999", "postgresql+nodriver://me:pw@h/db"],
)
def test_an_address_that_is_none_is_told(uri):
    for ask in (list_studies, lambda uri: Reader.of("s", uri)):
        with pytest.raises(StoreError, match="MLflow at .* can't be used: ") as caught:
            ask(uri)
        assert "pw" not in str(caught.value)


def test_a_server_that_is_away_or_silent_is_told_within_ten_seconds():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        with pytest.raises(StoreError, match="nobody answers there; is it running"):
            list_studies(f"http://127.0.0.1:{port}")
        listening.listen()  # connections are taken, and nothing is said
        began = time.monotonic()
        with pytest.raises(StoreError, match="it has not answered within 9 seconds"):
            list_studies(f"http://127.0.0.1:{port}")
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("answer", [None, b"HTTP/1.1 400 Bad Request\r\n\r\n"])
def test_a_database_that_is_away_or_none_is_told_at_once(answer):
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        if answer is not None:
            bound.listen()
            threading.Thread(target=_answer, args=(bound, answer), daemon=True).start()
        uri = f"postgresql://ann:sesame@127.0.0.1:{bound.getsockname()[1]}/mlflow"
        began = time.monotonic()
        with pytest.raises(StoreError, match=r"ann:\*\*\*@.*connection failed"):
            list_studies(uri)
        assert time.monotonic() - began < 10


def _answer(listening, answer):
    with suppress(OSError):  # the test is over
        while True:
            connection, _ = listening.accept()
            connection.recv(100)
            connection.sendall(answer)
            connection.close()
