"""The commands of the Makefile say what they do."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_help_lists_every_command():
    (targets,) = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    # under 'make test' it is a make in a make, which would say which folder it enters
    command = ["make", "--no-print-directory", "help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    described = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert described.keys() == set(targets.split())
    assert all(len(text) > 5 for text in described.values())
