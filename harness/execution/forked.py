"""Worker processes of this machine as forks of a server, which has imported torch once for all.

This module is the driver's side; the server's and the workers' is in
:mod:`harness.execution.fork_server`. Little is imported here, so that the server is started before
all else of a command.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection, Pipe, wait
from typing import Any

from harness.core.gpus import surely_no_gpu
from harness.core.process import kill_children, python_call
from harness.execution.worker_died import WorkerDiedError
from harness.execution.worker_environment import worker_environment

END_WAIT = 5.0
"""Seconds until a process that was killed is surely told of."""


class ForkServer:
    """The process that workers are forked from; another is started when it has died.

    Args:
        environment: what is set in it and in the workers.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self._lock, self._forked = threading.Lock(), list[ForkedWorker]()
        self._start()

    def _start(self) -> None:
        self._requests, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                python_call("harness.execution.fork_server.serve_forks", str(theirs.fileno())),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=self.environment,
            )

    def fork(self) -> ForkedWorker:
        """Return a new worker, which begins as soon as the server has imported what it needs."""
        calls, its_calls = Pipe()
        told, tell = Pipe(duplex=False)
        with its_calls, tell, self._lock:
            if self.process.poll() is not None:
                self._requests.close()
                self._start()
            # a server that dies now takes the request with it: the worker has died then
            with suppress(ConnectionError):
                socket.send_fds(self._requests, [b"f"], [its_calls.fileno(), tell.fileno()])
            # the server may have been started before a study's folder was put on the path
            with suppress(ConnectionError):
                calls.send_bytes(json.dumps(sys.path).encode())
            worker = ForkedWorker(calls, told)
            self._forked = [worker, *(other for other in self._forked if not other.dead)]
        return worker

    def end(self) -> None:
        """End the process, and its workers."""
        with self._lock:
            # first those that it can tell the ends of
            for worker in self._forked:
                worker.end()
            self._requests.close()
            self.process.kill()
            self.process.wait()
            # and those that it has forked meanwhile
            for worker in self._forked:
                worker.end()


_AHEAD: list[ForkServer] = []
"""The server that was started ahead of its use."""


def start_ahead() -> None:
    """Start a server that is probably going to be used, since a study is going to be run: it takes
    a second to import torch, and whatever comes before the first run takes another."""
    if surely_no_gpu() and not _AHEAD:
        _AHEAD.append(ForkServer(_environment()))
        atexit.register(end_ahead)


def end_ahead() -> None:
    """End a server that was started ahead, if nobody has used it."""
    while _AHEAD:
        _AHEAD.pop().end()


def begun_fork_server() -> ForkServer:
    """Return the server that was started ahead, or else a new one: also where the environment has
    been changed since, as by a study's own file."""
    if _AHEAD and _of_users(_AHEAD[0].environment) == _of_users(_environment()):
        return _AHEAD.pop()
    end_ahead()
    return ForkServer(_environment())


def _environment() -> dict[str, str]:
    """Return the environment of workers that are started now."""
    return {**os.environ, **worker_environment()}


def _of_users(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that MLflow and scikit-learn set in a driver."""
    others = ("MLFLOW_", "KMP_")
    return {name: value for name, value in environment.items() if not name.startswith(others)}


class ForkedWorker:
    """A worker process as the driver sees it.

    Args:
        calls: the connection with it.
        told: where the server tells its process id and, when it has ended, its exit code.
    """

    def __init__(self, calls: Connection, told: Connection) -> None:
        self._calls, self._told = calls, told
        self._lock, self._ended = threading.Lock(), False
        self._pid: int | None = None
        self._code: int | None = None

    @property
    def pid(self) -> int | None:
        """The process's id, once it is there."""
        self._listen()
        return self._pid

    @property
    def dead(self) -> bool:
        """Whether the process has ended."""
        self._listen()
        return self._ended

    def _listen(self) -> None:
        """Take in what the server has told so far."""
        with self._lock, suppress(EOFError, ConnectionError):
            # it ends with an error, when the server has closed its side
            while not self._ended and self._told.poll():
                self._ended = True
                number = int(self._told.recv_bytes())
                if self._pid is None:
                    self._pid, self._ended = number, False
                else:
                    self._code = number

    def call(self, fn: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """Return what a call returns in the process.

        Raises:
            WorkerDiedError: the process has ended.
        """
        import cloudpickle

        try:
            self._calls.send_bytes(cloudpickle.dumps(partial(fn, *args)))
            returned, result = cloudpickle.loads(self._answer())
        except (EOFError, ConnectionError):
            wait([self._told], END_WAIT)
            self._listen()
            raise WorkerDiedError(self._code) from None
        if not returned:
            raise result
        return result

    def _answer(self) -> bytes:
        """Return what the process sends next.

        Raises:
            EOFError: it has ended.
        """
        # its end is told by the server too: processes that it has started may hold the connection
        while not self._calls.poll():
            if self.dead:
                raise EOFError
            wait([self._calls, self._told])
        return self._calls.recv_bytes()

    def end(self) -> None:
        """End the process and all that it has started, whatever they do; nothing where the server
        has not forked it yet."""
        if self.dead or self._pid is None:
            return
        kill_children(self._pid)
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        wait([self._told], END_WAIT)
