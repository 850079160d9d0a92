"""Schedules of torch and of the user's own making."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import Any, Literal

from harness.core.errors import HarnessError
from harness.core.lazy import Lazy
from harness.schedules.base import Schedule
from harness.spec.calls import check_call, parameters_of
from harness.spec.component import External

torch: Any = Lazy("torch")

STEP_ARGUMENT = "step"
"""The parameter by which a function of the place in the run is known from one that makes a
scheduler."""


class ExternalSchedule(External, Schedule):
    """A ``torch.optim.lr_scheduler`` class, a function ``(optimizer, …)`` that makes a scheduler,
    or a function of ``step`` that returns the factor itself.

    A scheduler is run against an optimizer of rate 1, so that the rate it sets is the factor: rates
    among its arguments (``eta_min``, ``max_lr``) are in units of the recipe's own. It is told of
    every epoch, as torch's documentation has it, or of every update with ``by="step"``. Whatever is
    called gets ``steps``, ``epochs`` and ``steps_per_epoch``, the run's lengths, if it takes
    arguments of these names.
    """

    by: Literal["epoch", "step"] = "epoch"
    """How often a scheduler is told to go on."""

    @classmethod
    def check_target(cls, target: object) -> None:
        """Refuse a scheduler made already, one that needs a metric, and what is none.

        Raises:
            HarnessError: the target is such.
        """
        name = getattr(target, "__name__", type(target).__name__)
        step = getattr(target, "step", None)
        if hasattr(target, "get_last_lr") and not isinstance(target, type):
            raise HarnessError(
                "expected a class or a function (optimizer, …) that makes a scheduler, got a"
                f" {name} made already, for an optimizer of no run; give partial({name}, …)"
            )
        if _needs_metric(step):
            raise HarnessError(
                f"expected a schedule that is known before training, got {name}, which goes by a"
                " metric; tune the rate with a schedule by steps, or end runs with EarlyStopping"
            )
        if not callable(target) or (isinstance(target, type) and step is None):
            raise HarnessError(
                "expected a torch.optim.lr_scheduler class, a function (optimizer, …) that makes a"
                f" scheduler, or a function (step, steps) that returns a factor, got {target!r}"
            )

    def factor(self, step: int, steps: int, steps_per_epoch: int) -> float:
        target = self.load()
        if STEP_ARGUMENT in parameters_of(target):
            given = self._offered(steps, steps_per_epoch) | {STEP_ARGUMENT: step}
            check_call(f"schedule {self.target}", target, given)
            return float(target(**given))
        epoch = step // steps_per_epoch
        known = _simulated(self, steps, steps_per_epoch)
        return known[step if self.by == "step" else epoch]

    def _offered(self, steps: int, steps_per_epoch: int) -> dict[str, Any]:
        """Return the recipe's arguments, and those of the run's lengths that the target takes."""
        epochs = -(-steps // steps_per_epoch)  # rounded up
        lengths = {"steps": steps, "epochs": epochs, "steps_per_epoch": steps_per_epoch}
        taken = parameters_of(self.load())
        return {k: v for k, v in lengths.items() if k in taken} | self.arguments()


@lru_cache(maxsize=64)
def _simulated(schedule: ExternalSchedule, steps: int, steps_per_epoch: int) -> tuple[float, ...]:
    """Return the factors that a scheduler gives, one for each of its steps in a run.

    Raises:
        HarnessError: it can't be made or go on, or does more than setting the rate.
    """
    name, target = schedule.target, schedule.load()
    given = schedule._offered(steps, steps_per_epoch)
    check_call(f"schedule {name}", target, given, positional=1)
    count = steps if schedule.by == "step" else -(-steps // steps_per_epoch)
    try:
        # a scheduler warns where it goes on and its optimizer has not: there is nothing to optimize
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
            before = _other_settings(optimizer)
            factors = tuple(islice(_factors(target(optimizer, **given), optimizer, name), count))
    except HarnessError:
        raise
    # a library's own errors are of any class
    except Exception as error:
        raise HarnessError(
            f"schedule {name}: fails within {count} steps by {schedule.by}: "
            f"{type(error).__name__}: {error}"
        ) from error
    if changed := [k for k, v in _other_settings(optimizer).items() if v != before[k]]:
        raise HarnessError(
            f"schedule {name}: expected one that sets the rate alone, got one that sets"
            f" {', '.join(changed)} too; leave that out, as by cycle_momentum=False"
        )
    return factors


def _factors(scheduler: Any, optimizer: Any, name: str) -> Iterator[float]:
    """Yield the rate before each step of a scheduler, without an end.

    Raises:
        HarnessError: the target has made no scheduler, or one that goes by a metric.
    """
    if not callable(getattr(scheduler, "step", None)) or _needs_metric(scheduler.step):
        raise HarnessError(
            f"schedule {name}: expected a scheduler with step() that needs no metric, got a"
            f" {type(scheduler).__name__}; a function of (step, steps) may return the factor itself"
        )
    while True:
        yield float(optimizer.param_groups[0]["lr"])
        scheduler.step()


def _needs_metric(step: object) -> bool:
    """Return whether a scheduler's ``step`` must be given the value of a metric."""
    if not callable(step):
        return False
    needed = [
        parameter.name
        for parameter in inspect.signature(step).parameters.values()
        if parameter.default is parameter.empty
        and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
    ]
    return bool(set(needed) - {"self"})


def _other_settings(optimizer: Any) -> dict[str, object]:
    """Return the settings of an optimizer that are no rates."""
    group = optimizer.param_groups[0]
    return {name: group[name] for name in optimizer.defaults if name != "lr"}
