"""The containers from building to taking down: a study on MLflow and PostgreSQL, killed, gone on with, seen from the host.

    make docker-test

Works on a copy of the tree in a temporary folder, and leaves neither containers nor volumes behind.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[2]
PARTS = (
    "docker",
    "harness",
    "experiments",
    "tests",
    "Makefile",
    "pyproject.toml",
    "requirements.lock",
    "README.md",
    "LICENSE",
)
STRANGER = 1234
"""A user who owns the reports and is not the image's."""
SPEC = """
import harness as h

study = h.Study(
    name="e2e",
    question="Do containers change anything?",
    recipe=h.Recipe(data="digits", model=h.MLP(widths=(32,)), batch_size=32, epochs=60, optimizer=h.SGD(lr=0.1)),
    compare={"optimizer": {"SGD": h.SGD(lr=h.LogUniform(0.01, 1.0)), "Adam": h.Adam(lr=h.LogUniform(1e-3, 0.1))}},
    search=h.Search(trials=6, batch=2),
    seeds=4,
    probes=["GradientNorm"],
    claims=[h.Claim.better("Adam", than="SGD", on="test/accuracy")],
)
"""
RUN = ["experiments/e2e.py", "--workers", "1", "--cohort", "2"]
began = time.monotonic()


def say(text: str) -> None:
    print(f"[{time.monotonic() - began:5.0f} s] {text}", flush=True)


def run(*command: str, fails: bool = False, **options) -> str:
    """Return what a command prints; it must end well, or badly where ``fails``."""
    done = subprocess.run(
        command,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=900,
        check=False,
        **options,
    )
    assert (done.returncode != 0) == fails, (
        f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}"
    )
    return done.stdout


class Stack:
    """The services of the compose file, in a copy of the tree."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.uid = folder, STRANGER if os.getuid() == 0 else os.getuid()
        for name in PARTS:
            ignored = shutil.ignore_patterns("__pycache__", ".env")
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder / name, ignore=ignored)
            else:
                shutil.copy(ROOT / name, folder / name)
        (folder / "experiments" / "e2e.py").write_text(SPEC)
        (folder / "reports").mkdir()
        os.chown(folder / "reports", self.uid, -1)
        folder.chmod(0o755)
        run("make", "docker/.env", cwd=folder)
        self.settings = folder / "docker" / ".env"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        text = self.settings.read_text().replace("PORT=5000", f"PORT={self.port}")
        self.settings.write_text(
            "\n".join(line for line in text.splitlines() if "HARNESS_UID" not in line)
        )
        with self.settings.open("a") as file:
            file.write(f"\nHARNESS_UID={self.uid}\n")
        self.password = next(
            line.split("=")[1]
            for line in text.splitlines()
            if line.startswith("POSTGRES_PASSWORD=")
        )
        self.uri = f"http://127.0.0.1:{self.port}"
        has_plugin = (
            subprocess.run(
                ["docker", "compose", "version"], capture_output=True, check=False
            ).returncode
            == 0
        )
        self.compose = ["docker", "compose"] if has_plugin else ["docker-compose"]
        self.compose += [
            "-p",
            "harness-e2e",
            "--env-file",
            "docker/.env",
            "-f",
            "docker/compose.yaml",
        ]

    def __call__(self, *words: str, fails: bool = False) -> str:
        return run(*self.compose, *words, fails=fails, cwd=self.folder)

    def outside(self, *words: str, uri: str | None = None, fails: bool = False) -> str:
        """Return what a command of the harness prints on the host, with the copy's code."""
        environment = {
            k: v
            for k, v in os.environ.items()
            if k not in ("MLFLOW_TRACKING_URI", "HARNESS_STORAGE")
        }
        if uri:
            environment["MLFLOW_TRACKING_URI"] = uri
        return run(
            sys.executable, "-m", "harness", *words, cwd=self.folder, env=environment, fails=fails
        )

    def recorded(self) -> int:
        return len(runs(self.uri, "e2e"))


def runs(uri: str, study: str) -> list:
    """Return the training runs that MLflow has of a study."""
    from mlflow.tracking import MlflowClient

    experiment = (client := MlflowClient(uri)).get_experiment_by_name(study)
    recorded = (
        client.search_runs([experiment.experiment_id], max_results=1000) if experiment else []
    )
    return [one for one in recorded if "harness.key" in one.data.tags]


def prepare_wheels() -> None:
    """Where pip is told of wheels on disk, give the image PyTorch's from there: what it would download may be large."""
    if os.environ.get("PIP_FIND_LINKS") and not list(
        (ROOT / "docker" / "wheels").glob("torch-*.whl")
    ):
        lock = (ROOT / "requirements.lock").read_text().splitlines()
        (pinned,) = [line for line in lock if line.startswith("torch==")]
        run(
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            pinned,
            "-d",
            str(ROOT / "docker" / "wheels"),
        )


def build(stack: Stack) -> None:
    said = run("make", "docker-build", cwd=stack.folder)
    say(f"built: {len(said.splitlines())} lines")
    assert (
        run("docker", "run", "--rm", "--entrypoint", "id", "research-harness", "-u").strip()
        == "1000"
    ), "not root"
    example = ["-e", "POSTGRES_PASSWORD=change-me", "-e", "BIND=0.0.0.0"]
    refused = run("docker", "run", "--rm", *example, "research-harness-mlflow", fails=True)
    assert "POSTGRES_PASSWORD is the example's" in refused, refused
    say("the example's password is refused outside loopback")


def study_killed_and_gone_on_with(stack: Stack) -> None:
    stack("up", "-d", "mlflow")
    stack("run", "-d", "--name", "e2e-victim", "study", *RUN)
    say("up, by health; a study has begun")
    for _ in range(600):
        if stack.recorded() >= 4:
            break
        time.sleep(0.2)
    run("docker", "kill", "e2e-victim")
    killed_at = stack.recorded()
    assert 4 <= killed_at < 20, f"killed too early or too late: {killed_at} of 20 runs"
    say(f"killed with {killed_at} of 20 runs recorded")
    said = stack("run", "--rm", "study", *RUN)
    trained, known = (
        int(said.split(word)[0].split()[-1]) for word in (" runs trained", " known already")
    )
    assert trained + known == 20 and known >= killed_at - 2, said
    say(f"gone on with: {trained} runs trained, {known} known already")
    keys = [one.data.tags["harness.key"] for one in runs(stack.uri, "e2e")]
    assert len(keys) == len(set(keys)) == 20 and {
        one.info.status for one in runs(stack.uri, "e2e")
    } == {"FINISHED"}


def same_numbers(stack: Stack) -> None:
    """Train the study outside, and compare every point."""
    from harness import results

    stack.outside(
        "run", *RUN, "--reports", "outside", "--store", f"sqlite:///{stack.folder}/outside.db"
    )
    by = ["arm", "stage", "trial", "seed", "step"]
    inside, outside = (
        results.load("e2e", uri)
        .curves.sort_values(by)
        .reset_index(drop=True)
        .drop(columns="run_id")
        for uri in (stack.uri, f"sqlite:///{stack.folder}/outside.db")
    )
    numbers = [c for c in inside if "/" in c]
    same = inside[[*by, *numbers]].equals(outside[[*by, *numbers]])
    if not same:
        pd.testing.assert_frame_equal(inside[[*by, *numbers]], outside[[*by, *numbers]], rtol=1e-4)
    say(
        f"inside and outside: {len(inside) * len(numbers)} numbers {'bit for bit the same' if same else 'the same to 1e-4'}"
    )


def reproduced(stack: Stack) -> None:
    run_id = next(
        one.info.run_id
        for one in runs(stack.uri, "e2e")
        if one.data.tags["harness.stage"] == "confirm"
    )
    for where, said in (
        ("inside", stack("run", "--rm", "study", "reproduce", run_id)),
        ("outside", stack.outside("reproduce", run_id, uri=stack.uri)),
    ):
        assert "identical" in said or "within tolerance" in said, said
        say(f"reproduced {where}: {said.strip().splitlines()[-1]}")


def looked_at_from_the_host(stack: Stack) -> None:
    report = stack.folder / "reports" / "e2e.html"
    assert report.stat().st_uid == stack.uid, "the report belongs to who runs the study"
    assert f"{stack.uri}/#/experiments/" in report.read_text(), (
        "the report links to the UI as the host sees it"
    )
    with urllib.request.urlopen(f"{stack.uri}/health", timeout=5) as answer:
        assert answer.status == 200
    say("report and UI are there" + in_browser(report))
    logs = stack("logs")
    assert stack.password not in logs + report.read_text(), "a password was logged"


def in_browser(report: Path) -> str:
    """Follow the report's first link to MLflow's page of a run."""
    from playwright.sync_api import sync_playwright

    from tests.report.browser import found_browser

    path = found_browser()
    if path is None:
        return "; not looked at in a browser: none can be had"
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-background-networking"]
        )
        page = browser.new_page()
        # CI runs the test suite beside this, on as few as two cores
        page.set_default_timeout(180_000)
        page.set_default_navigation_timeout(180_000)
        page.goto(report.as_uri())
        page.wait_for_selector(".plot .main-svg")
        page.goto(page.locator("#table a").first.get_attribute("href"))
        page.get_by_text("seed", exact=False).first.wait_for()
        if folder := os.environ.get("SCREENSHOTS"):
            page.wait_for_timeout(3000)
            page.screenshot(path=f"{folder}/mlflow-in-docker.png")
        browser.close()
    return ", in a browser too"


def down_and_up(stack: Stack) -> None:
    stack("down")
    stack("up", "-d", "mlflow")
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{stack.uri}/health", timeout=1).close()
            break
        except OSError:
            time.sleep(0.3)
    said = stack("run", "--rm", "study", *RUN)
    assert "0 runs trained, 20 known already" in said, said
    say("down and up again: all is there")


def main() -> None:
    prepare_wheels()
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        os.environ["HARNESS_CACHE"] = f"{folder}/cache"
        sys.path.insert(0, str(ROOT))
        try:
            for step in (
                build,
                study_killed_and_gone_on_with,
                same_numbers,
                reproduced,
                looked_at_from_the_host,
                down_and_up,
            ):
                step(stack)
        finally:
            if sys.exc_info()[0] is not None:
                print(
                    json.dumps(stack("logs", "--tail", "40"), indent=0)[-6000:].replace("\\n", "\n")
                )
            subprocess.run(["docker", "rm", "-f", "e2e-victim"], capture_output=True, check=False)
            stack("down", "-v", "--remove-orphans")
    say("down; the containers do what they should")


if __name__ == "__main__":
    main()
