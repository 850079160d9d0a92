"""What the harness costs a user's own training loop, beside the same loop as a plain script.

    python -m benchmarks.own_loops [--turns 5] [--json FILE]

Both start a process, import NumPy, and log 1,000 times; they are run by turns, and seconds of processors are compared,
which do not depend on the load. The difference does not depend on how long the loop is: over 10 seconds it is the share
that is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

LENGTH = 1000
RUN = 10.0
"""Seconds of a run that the difference is compared with."""


def train(run):
    """Multiply matrices and log each product."""
    a = np.random.normal(size=(150, 150)) / 20
    for step in range(1, run.steps + 1):
        a = np.tanh(a @ a.T)
        run.log(step, valid_loss=a.mean())


class Printer:
    """A script's own way to log."""

    steps = LENGTH

    def log(self, step, valid_loss):
        print(step, valid_loss)


def plain():
    call = "from benchmarks.own_loops import Printer, train; train(Printer())"
    subprocess.run([sys.executable, "-c", call], check=True, stdout=subprocess.DEVNULL)


def ours():
    # here, so that the script does without
    import harness as h
    from harness.protocol.train import train_outcomes

    recipe = h.Recipe(trainer="benchmarks.own_loops.train", steps=LENGTH)
    [outcome] = train_outcomes(recipe, [0])
    assert outcome.status == "finished", outcome.detail


def timed(call):
    """Return the seconds of processors that a call takes, its processes' included: other load does not count."""
    before = os.times()
    call()
    after = os.times()
    return sum(after[:4]) - sum(before[:4])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    ours()  # the driver's own imports are made once, however many runs there are
    turns = [(timed(plain), timed(ours)) for _ in range(args.turns)]
    script, harness = (statistics.median(column) for column in zip(*turns, strict=True))
    added = statistics.median(b - a for a, b in turns)
    found = {"script": script, "harness": harness, "added": added, "share of 10 s": added / RUN}
    print(json.dumps(found, indent=2))
    if args.json:
        args.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()
