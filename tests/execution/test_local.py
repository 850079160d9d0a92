"""The executors of this machine."""

from __future__ import annotations

import os

import pytest

from harness.core import gpus
from harness.execution.jobs import Job, perform
from harness.execution.local import Serial, local_executor, visible_gpus
from harness.execution.pool import Pool
from harness.spec.arms import Run
from tests.execution.recipes import RECIPE


@pytest.mark.parametrize("devices", [(), ("/dev/null",)], ids=["forked", "fresh"])
def test_workers_give_the_bits_of_this_process(monkeypatch, devices):
    monkeypatch.setattr(gpus, "DEVICES", devices)
    job = Job((0, 1), (Run.of(RECIPE, 0), Run.of(RECIPE, 1)), test=True)
    here = perform(job)
    with Pool(lambda: local_executor(1)) as pool:
        ((_, there),) = pool.run([job])
    for i in (0, 1):
        assert here.outcomes[i].points == there.outcomes[i].points


def test_serial_is_an_executor_whose_futures_are_done():
    executor = Serial()
    assert executor.submit(divmod, 7, 2).result() == (3, 1)
    failed = executor.submit(divmod, 7, 0)
    assert failed.done()
    with pytest.raises(ZeroDivisionError):
        failed.result()


def test_each_worker_has_a_gpu_of_its_own(monkeypatch):
    monkeypatch.setattr(gpus, "DEVICES", ("/dev/null",))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    with local_executor(2) as executor:
        asked = ("CUDA_VISIBLE_DEVICES",)
        assert [worker.call(os.getenv, asked) for worker in executor.workers] == ["3,5", "5,3"]
    monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert visible_gpus() == ["0", "1", "2"]
