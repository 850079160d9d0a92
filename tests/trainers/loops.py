"""Training loops of a user's own, as tests name them."""

from __future__ import annotations

import json
import os
import random
import sys
import time

import numpy as np

ERRORS = []


def walk(run):
    """w ← w − lr (w − z), z from NumPy's global generator; the loss is w²."""
    w, step = 1.0, 0
    while not run.should_stop(step):
        step += 1
        w -= run.config["lr"] * (w - np.random.normal())
        if step % 5 == 0:
            run.log(step, {"train/loss": w * w}, valid_loss=w * w + run.split, epoch=step / 10)
    if run.confirming:
        run.test(loss=w * w)


def draws(run):
    """Tells what the global generators give, torch's imported late."""
    import torch

    run.log(1, train_a=random.random(), train_b=np.random.random(), train_c=torch.rand(1))


def tests_always(run):
    run.log(1, valid_loss=1.0)
    run.test(loss=1.0)


def tests_twice(run):
    run.log(1, valid_loss=1.0)
    run.test(loss=1.0)
    run.test(loss=2.0)


def diverges(run):
    for step in range(1, run.steps + 1):
        run.log(step, valid_loss=1.0 if step < 3 else float("nan"))


def undefined(run):
    for step in range(1, run.steps + 1):
        nothing = float("nan") if step != 3 else 0.5
        run.log(step, valid_loss=1.0, valid_auroc=nothing, valid_bleu=nothing, valid_f1=0.5)
        if run.should_stop():
            break
    run.log(step, valid_precision=0.1 * step)


def leaves(run):
    run.log(1, valid_loss=1.0)
    sys.exit("enough")


def vanishes(run):
    run.log(1, valid_loss=1.0)
    print("about to vanish", flush=True)
    os._exit(run.config.get("code", 3))


def hangs(run):
    run.log(1, valid_loss=1.0)
    time.sleep(600)


def eats(run):
    kept = []
    while True:
        kept.append(np.ones(2_000_000))


def prints(run):
    for _ in range(200):
        print("x" * 20_000)
    run.log(1, valid_loss=1.0)


def too_long(run):
    run.log(run.steps + 1, valid_loss=1.0)


def silent(run):
    return


def ticks(run):
    """Runs by the clock."""
    step = 0
    while not run.should_stop():
        step += 1
        time.sleep(0.01)
        run.log(step, valid_loss=1.0 / step)


def interrupted(run):
    """Goes on from its checkpoint; the first start dies half-way with all that it knows."""
    file = run.checkpoint() / "state.json"
    done = json.loads(file.read_text()) if file.exists() else 0
    for step in range(done + 1, run.steps + 1):
        run.log(step, valid_loss=float(step), batch_start=done)
        if step % 3 == 0:
            (run.checkpoint() / "new").write_text(json.dumps(step))
            os.replace(run.checkpoint() / "new", file)
        if step == 5 and done == 0:
            time.sleep(600)


def takes_two(run, other):
    return


def fails_at_once(run):
    run.config["no such name"]


def asks_late(run):
    for step in range(1, run.steps + 1):
        run.log(step, train_loss=1.0)
        time.sleep(0.2)


NO_FUNCTION = 3


def shrink(run):
    """w ← (1 − lr·width) w; the loss is w²."""
    w = 1.0
    for step in range(1, run.steps + 1):
        w *= 1 - run.config["lr"] * run.config["net"]["width"]
        run.log(step, valid_loss=w * w)
    if run.confirming:
        run.test(loss=w * w + run.seed % 10 / 1000)


def fails_for(run):
    if run.seed in run.config["seeds"]:
        raise ValueError("no luck")
    run.log(1, valid_loss=1.0)


def fails_late(run):
    for step in range(1, run.steps + 1):
        if run.should_stop():
            return
        if step > 3:
            np.reshape([1.0], (3, 3))
        run.log(step, valid_loss=1.0)


def says_late(run):
    """Says where it is at every other step."""
    for step in range(1, run.steps + 1):
        where = {"epoch": step / 2, "samples": 15 * step} if step % 2 == 0 else {}
        run.log(step, valid_loss=1.0, **where)


def tells_percent(run):
    run.log(1, valid_accuracy=93.2)


def tells_device(run):
    run.log(1, valid_loss=1.0, valid_on_gpu=float(run.device == "cuda"))
