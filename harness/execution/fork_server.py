"""Worker processes that are forks of one process, which has imported torch for all of them.

That import takes a second of the processor's time in each worker that starts afresh; a fork takes
milliseconds, also in the place of a worker that has died. The process that is forked does nothing
but import and fork: it has one thread, and has computed nothing with torch, of whose threads and
devices a fork would get broken copies.

This module is the server's and the workers' side; the driver's is in
:mod:`harness.execution.forked`.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, NoReturn

import cloudpickle

from harness.execution.worker_process import become_worker, import_engine

WAKE_BYTES = 64
"""Bytes that are read of what only wakes: of requests for workers, and of children's ends."""


def serve_forks() -> None:
    """Import the engine, then fork a worker for each request, until the driver is gone.

    The only argument of the command line is the number of the socket of requests. Each comes with
    two connections with the driver: the worker's, of calls, and one that the server keeps, on which
    it tells the worker's process id and, later, its exit code.
    """
    # Ctrl-C goes to all processes of a terminal; the driver alone decides what it means
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import_engine()
    requests = socket.socket(fileno=int(sys.argv[1]))
    woken = _woken_by_children()
    told: dict[int, Connection] = {}
    """By worker: where its ending is told."""
    with selectors.DefaultSelector() as selector:
        selector.register(requests, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            ready = [key.fileobj for key, _ in selector.select()]
            if woken in ready:
                woken.recv(WAKE_BYTES)
                _tell_endings(told)
            if requests in ready:
                asked, files, *_ = socket.recv_fds(requests, 1, 2)
                if not asked:
                    return
                calls, tell = map(_connection, files)
                server, worker = os.getpid(), os.fork()
                if not worker:
                    selector.close()
                    _become_worker(server, calls, (requests, woken, tell, *told.values()))
                calls.close()
                told[worker] = tell
                _tell(tell, worker)


def _connection(file: int) -> Connection:
    os.set_inheritable(file, False)  # programs that a user's code starts do without it
    return Connection(file)


def _woken_by_children() -> socket.socket:
    """Return a socket that can be read when a child has ended."""
    read, write = socket.socketpair()
    write.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write.detach(), warn_on_full_buffer=False)
    return read


def _tell_endings(told: dict[int, Connection]) -> None:
    """Tell of the children that have ended how they did so."""
    while told:
        worker, status = os.waitpid(-1, os.WNOHANG)
        if not worker:
            return
        with told.pop(worker) as tell:
            _tell(tell, os.waitstatus_to_exitcode(status))


def _tell(tell: Connection, number: int) -> None:
    with suppress(ConnectionError):  # the driver has stopped to listen
        tell.send_bytes(str(number).encode())


def _become_worker(
    server: int, calls: Connection, others: tuple[socket.socket | Connection, ...]
) -> NoReturn:
    """Make the calls that come, in a fork of the server, until their connection ends.

    Args:
        server: the process that this is a fork of.
        calls: where calls come from, and results go.
        others: what is the server's. A copy in here would keep the driver from seeing its end.
    """
    code = 1
    try:
        os.close(signal.set_wakeup_fd(-1))
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for other in others:
            other.close()
        sys.path[:] = json.loads(calls.recv_bytes())
        become_worker(server)
        _reseed()
        _serve_calls(calls)
        code = 0
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):  # nobody reads it any more
                stream.flush()
        # without what the interpreter does at its end, which is the server's to do
        os._exit(code)


def _reseed() -> None:
    """Give NumPy's generator of code that seeds none a state of its own; Python's has one."""
    import numpy as np

    np.random.seed()


def _serve_calls(calls: Connection) -> None:
    """Make each call that comes, and send back whether it returned and what it returned or raised,
    until the driver is gone."""
    with suppress(EOFError, ConnectionError):
        while True:
            calls.send_bytes(_answer(calls.recv_bytes()))


def _answer(asked: bytes) -> bytes:
    try:
        call: Callable[[], Any] = cloudpickle.loads(asked)
        return bytes(cloudpickle.dumps((True, call())))
    # a user's code may raise anything, also what can't be pickled
    except BaseException as error:
        try:
            return bytes(cloudpickle.dumps((False, error)))
        except Exception:
            plain = RuntimeError(f"{type(error).__name__}: {error}")
            return bytes(cloudpickle.dumps((False, plain)))
