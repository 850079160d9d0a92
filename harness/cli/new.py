"""``new`` and ``doctor``: the first commands of a new user."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.core.errors import HarnessError, SpecError

PYTHON = '''\
"""Which optimizer trains an MLP best on MNIST-1D, each tuned with the same budget?

    harness plan {file}             what it would do
    python {file} --quick           a first look
    python {file}                   the whole study
"""

from harness import MLP, SGD, Adam, Claim, LogUniform, Recipe, Search, Study, Uniform

study = Study(
    name="{name}",
    question="Which optimizer trains an MLP best on MNIST-1D?",
    # what all arms share; 'harness list' shows what there is
    recipe=Recipe(data="mnist1d", model=MLP(widths=(64, 64)), batch_size=64, epochs=20, optimizer=SGD(lr=0.1)),
    # the factors compared, each a field of the recipe; a space in the place of a number is tuned for each arm
    compare={{
        "optimizer": {{
            "SGD": SGD(lr=LogUniform(1e-3, 1.0)),
            "Momentum": SGD(lr=LogUniform(1e-3, 1.0), momentum=Uniform(0.8, 0.99)),
            "Adam": Adam(lr=LogUniform(1e-4, 1e-1)),
        }},
    }},
    # every arm gets the same number of trials, judged on validation data
    search=Search(trials=16, objective="valid/loss"),
    # the winners are frozen and trained again with fresh seeds; only then are test data touched
    seeds=5,
    # what you expect, said beforehand
    claims=[Claim.faster("Momentum", than="SGD", to=("valid/accuracy", 0.5), by="steps")],
)

if __name__ == "__main__":
    study.main()
'''

YAML = """\
# Which optimizer trains an MLP best on MNIST-1D, each tuned with the same budget?
#   harness plan {file}            what it would do
#   harness run {file} --quick     a first look
name: {name}
question: Which optimizer trains an MLP best on MNIST-1D?
recipe:                             # what all arms share; 'harness list' shows what there is
  data: mnist1d
  model: {{name: MLP, widths: [64, 64]}}
  batch_size: 64
  epochs: 20
  optimizer: {{name: SGD, lr: 0.1}}
compare:                            # factors: fields of the recipe; a space in the place of a number is tuned for each arm
  optimizer:
    SGD: {{name: SGD, lr: {{log_uniform: [1e-3, 1.0]}}}}
    Momentum: {{name: SGD, lr: {{log_uniform: [1e-3, 1.0]}}, momentum: {{uniform: [0.8, 0.99]}}}}
    Adam: {{name: Adam, lr: {{log_uniform: [1e-4, 1e-1]}}}}
search:                             # every arm gets the same number of trials, judged on validation data
  trials: 16
  objective: valid/loss
seeds: 5                            # winners are frozen and trained again with fresh seeds; only then are test data touched
claims:                             # what you expect, said beforehand
  - {{kind: faster, arm: Momentum, than: SGD, on: valid/accuracy, target: 0.5, by: steps}}
"""


def write_new(path: Path) -> None:
    """Write a commented study; never over a file."""
    text = {".py": PYTHON, ".yaml": YAML, ".yml": YAML}.get(path.suffix)
    if text is None:
        raise SpecError(f"new: expected a .py or .yaml file, got {path.name!r}")
    if path.exists():
        raise SpecError(f"new: {path} is there already; give another name")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.format(name=path.stem, file=path), encoding="utf-8")
    print(f"wrote {path}; look at its plan with: harness plan {path}")


def examine() -> None:
    """Print one line a check; end with status 1 if something must be mended."""
    bad = 0
    for name, check in CHECKS.items():
        try:
            print(f"ok    {name}: {check()}")
        except (HarnessError, OSError, ImportError, ValueError) as error:
            bad += 1
            print(f"mend  {name}: {error}")
    for line in _advice():
        print(f"note  {line}")
    if bad:
        sys.exit(1)


def _python() -> str:
    return sys.version.split()[0]


def _packages() -> str:
    from importlib import metadata

    return ", ".join(
        f"{name} {metadata.version(name)}"
        for name in ("torch", "mlflow", "optuna", "pandas", "plotly")
    )


def _devices() -> str:
    import torch

    if torch.cuda.is_available():
        return ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
    return "no GPU; training on the CPU"


def _workers() -> str:
    from harness.execution.local import default_workers

    return f"{default_workers()} by default"


def _cache() -> str:
    from harness.core.paths import cache_folder

    with tempfile.TemporaryFile(dir=cache_folder()):
        return str(cache_folder())


def _data() -> str:
    from harness.data.base import Data, fingerprint

    return f"mnist1d {fingerprint(Data.parse('mnist1d'))[:12]}, digits {fingerprint(Data.parse('digits'))[:12]}"


def _store() -> str:
    from harness.tracking import default_uri, public

    uri = default_uri()
    if uri.startswith("sqlite:///"):
        folder = Path(uri.removeprefix("sqlite:///")).parent
        if not os.access(folder, os.W_OK):
            raise HarnessError(
                f"can't write in {folder}; go to another folder, or set MLFLOW_TRACKING_URI"
            )
    return public(uri)


def _disk() -> str:
    free = shutil.disk_usage(".").free / 2**30
    if free < 1:
        raise HarnessError(f"{free:.1f} GiB free here; expected at least 1 GiB")
    return f"{free:.0f} GiB free"


CHECKS: dict[str, Callable[[], str]] = {
    "python": _python,
    "packages": _packages,
    "device": _devices,
    "workers": _workers,
    "cache": _cache,
    "data": _data,
    "store": _store,
    "disk": _disk,
}


def _advice() -> Iterator[str]:
    from harness.data.base import Data, load_data

    try:
        load_data(Data.parse("FashionMNIST"))
    except (HarnessError, OSError) as error:
        yield f"Fashion-MNIST: {error}"
    if hasattr(os, "getloadavg") and os.getloadavg()[0] > (os.cpu_count() or 1):
        yield f"the machine is busy (load {os.getloadavg()[0]:.1f}); timings will not be true"
