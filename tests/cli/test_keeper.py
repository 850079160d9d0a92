"""A command under the keeper ends with whoever started the keeper, however that ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import harness.cli.keeper as keeper

SERVER = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""
"""A server with a worker."""
STARTER = f"""
import signal, subprocess, sys
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # whoever runs the tests in the background ignores them
started = subprocess.Popen(
    [sys.executable, {str(Path(keeper.__file__))!r}, sys.executable, "-c", {SERVER!r}],
    stdin=subprocess.PIPE, start_new_session=True,
)
started.wait()
"""


def gone(processes, within=8.0):
    _, alive = psutil.wait_procs(processes, within)
    return not [p for p in alive if p.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_behind(number):
    starter = subprocess.Popen(
        [sys.executable, "-c", STARTER], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    starter.stdout.readline()
    below = psutil.Process(starter.pid).children(recursive=True)
    assert len(below) == 3  # keeper, server, worker
    starter.send_signal(number)
    starter.wait(20)
    assert gone(below)
    starter.stdout.close()


def test_a_command_that_ends_tells_its_status_and_leaves_nothing():
    code = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); sys.exit(3)"
    started = subprocess.Popen(
        [sys.executable, keeper.__file__, sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    group = started.pid
    assert started.wait(20) == 3
    deadline = time.monotonic() + 5
    while members(group) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not members(group)
    started.stdin.close()


def members(group):
    found = []
    for process in psutil.process_iter():
        try:
            if os.getpgid(process.pid) == group and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (ProcessLookupError, psutil.Error):
            pass
    return found
