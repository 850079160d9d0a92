"""``harness.compare``: a training function and some configs, tuned alike, judged and shown.

It builds the :class:`~harness.spec.study.Study` that one would write by hand, and runs it; what it
returns are the study's results.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from harness.analysis.results import Results, load
from harness.core.errors import HarnessError, SpecError
from harness.core.registry import load_entry
from harness.protocol.claim_notes import too_few_runs
from harness.protocol.notebook_progress import NotebookProgress, in_notebook
from harness.protocol.options import Options
from harness.protocol.progress import Progress
from harness.protocol.run import run_study
from harness.spec.claims import Claim
from harness.spec.error_messages import explain
from harness.spec.looks import FEWEST_FOR_METHODS
from harness.spec.space import Space, parse_space
from harness.spec.study import Study
from harness.stats.design import ENOUGH_SEARCHES

ArmConfig = Mapping[str, Any]
"""What a training function reads as ``run.config``; numbers may be spaces."""


def compare(
    train: Callable[..., object] | str,
    arms: Mapping[str, ArmConfig],
    *,
    steps: int | None = None,
    epochs: int | None = None,
    samples: int | None = None,
    seconds: float | None = None,
    seeds: int | Sequence[int] = 8,
    searches: int = 5,
    trials: int = 16,
    objective: str = "valid/loss",
    shared: ArmConfig | None = None,
    name: str | None = None,
    question: str = "",
    claims: Sequence[Claim | Mapping[str, object]] = (),
    metric: str | None = None,
    workers: int | None = None,
    store: str | None = None,
    **search: Any,
) -> Results:
    """Tune every arm alike, confirm the winners with fresh seeds, and return the results.

    What is recorded already is not trained again: the same call goes on where it was stopped.

    Args:
        train: a function ``train(run)`` in any framework, or its dotted name;
            ``run.config`` has the arm's values, ``run.log(step, valid_loss=…)`` records.
        arms: a config for each arm, by name. Spaces in it are tuned.
        steps: the length that every run has; or ``epochs``, ``samples`` or ``seconds``.
        epochs: length in epochs.
        samples: length in samples.
        seconds: length in seconds.
        seeds: confirm seeds of each search.
        searches: independent searches of every arm.
        trials: of each arm in each search.
        objective: what trials are judged by.
        shared: config of all arms; an arm's own values go before it.
        name: of the study; the function's by default.
        question: in a sentence; the report opens with it.
        claims: what is tested; without any the ranking compares all arms.
        metric: what arms are ranked by; by default the objective, on test data.
        workers: worker processes; by default one a core or GPU.
        store: MLflow tracking URI; by default ``MLFLOW_TRACKING_URI``, or ``mlflow.db`` in the
            working folder.
        search: more fields of :class:`~harness.spec.search.Search`, such as ``sampler``.

    Returns:
        The study's results: ``verdicts()``, ``report(folder)`` and tables; a notebook shows the
        ranking.

    Raises:
        SpecError: the study can't be run as asked.
        HarnessError: no run of any arm ended well; the study has the reasons.
        StoreError: a store can't be reached or written; what is finished is kept.
    """
    configs = whole_configs(arms, shared or {})
    lengths = {"steps": steps, "epochs": epochs, "samples": samples, "seconds": seconds}
    given = {unit: length for unit, length in lengths.items() if length is not None}
    if len(given) != 1:
        raise SpecError(
            "steps: expected the length that every run has, in one of steps, epochs, samples and "
            f"seconds, got {' and '.join(given) or 'none'}"
        )
    tree = {
        "name": name or name_of(train),
        "question": question,
        "recipe": {"trainer": train, **given},
        "compare": {"arm": {arm: {"config": config} for arm, config in configs.items()}},
        "search": {"trials": trials, "searches": searches, "objective": objective, **search},
        "seeds": seeds,
        "claims": claims,
        "metric": metric,
    }
    if not any(has_spaces(config) for config in configs.values()):
        # nothing is tuned: a config runs once a seed, and nothing else says what it is judged by
        tree |= {"search": None, "metric": metric or objective}
    try:
        study = Study.model_validate(tree)
    except ValidationError as error:
        raise SpecError(explain(error, None, "compare", Study)) from None
    return _answered(study, Options(workers=workers, uri=store))


def _answered(study: Study, options: Options) -> Results:
    """Run a study under a display; return its results.

    Raises:
        HarnessError: it can't be run, or nothing ended well.
    """
    with _display() as display:
        for note in notes_on(study):
            display.say(note)
        run_study(study, options, display)
    results = load(study.name, options.uri)
    check_ended(results)
    return results


def whole_configs(arms: Mapping[str, ArmConfig], shared: ArmConfig) -> dict[str, ArmConfig]:
    """Return each arm's config with what is shared.

    Raises:
        SpecError: something is no mapping with names as keys, or there are no arms.

    >>> whole_configs({"a": {"lr": 1}}, {"lr": 0, "width": 2})
    {'a': {'lr': 1, 'width': 2}}
    """
    if not isinstance(arms, Mapping) or not arms:
        raise SpecError(
            "arms: expected a config for each arm by its name, such as {'SGD': {'lr': 0.1}, "
            f"'Adam': {{'lr': 0.001}}}}, got {arms!r}"
        )
    for place, config in [("shared", shared), *((f"arms[{arm!r}]", arms[arm]) for arm in arms)]:
        if not isinstance(config, Mapping):
            raise SpecError(
                f"{place}: expected values by name, such as {{'lr': 0.1}}, got {config!r}"
            )
        if wrong := [name for name in config if not isinstance(name, str)]:
            raise SpecError(f"{place}: expected names as keys, such as 'lr', got {wrong[0]!r}")
    return {arm: {**shared, **config} for arm, config in arms.items()}


def check_ended(results: Results) -> None:
    """Refuse results that compare nothing.

    Raises:
        HarnessError: no run of any arm ended well.
    """
    ended = results.runs["status"]
    if ended.isin(["failed", "diverged"]).all():
        last = results.runs.groupby("arm", sort=False).last()
        said = [f"arm {arm!r}: {run['status']}, {run['detail']}" for arm, run in last.iterrows()]
        name = results.study.name
        raise HarnessError(
            f"no run of study {name!r} ended well, so that nothing can be compared; "
            + "; ".join(said)
        )


def has_spaces(config: ArmConfig) -> bool:
    """Return whether anything in a config is to be tuned.

    >>> from harness import Uniform
    >>> has_spaces({"net": {"width": 3}}), has_spaces({"net": {"lr": Uniform(0, 1)}})
    (False, True)
    """
    return any(
        _is_space(value) or (isinstance(value, Mapping) and has_spaces(value))
        for value in config.values()
    )


def _is_space(value: object) -> bool:
    """Return whether a value is a space, or is meant as one."""
    try:
        return isinstance(value, Space) or parse_space(value) is not None
    except ValueError:  # what is wrong with it is said where the study is made
        return True


def name_of(train: Callable[..., object] | str) -> str:
    """Return the name of a study that nobody named: that of its training function.

    >>> name_of("mine.train"), name_of(lambda run: None)
    ('train', 'compare')
    """
    text = train if isinstance(train, str) else getattr(train, "__name__", "")
    found = re.search(r"\w+$", text)
    return found[0] if found else "compare"


def notes_on(study: Study) -> list[str]:
    """Return what is too little in a study to speak of methods, or to decide anything.

    Args:
        study: of :func:`compare`.
    """
    searches = len(study.looks[-1].searches)
    notes = []
    if study.tuned and searches < FEWEST_FOR_METHODS:
        notes.append(
            f"searches={searches}: verdicts are of the recipes that were found, not of the "
            f"methods; {ENOUGH_SEARCHES} searches speak of methods"
        )
    elif study.tuned and searches < ENOUGH_SEARCHES:
        notes.append(
            f"searches={searches}: the spread of so few searches is hardly known; "
            f"{ENOUGH_SEARCHES} are advised"
        )
    if few := too_few_runs(study):
        notes.append(few)
    return notes


def _display() -> Progress:
    """Return a live view in a notebook, bars in a terminal and lines elsewhere."""
    if in_notebook():
        return NotebookProgress()
    display = load_entry("progress.choose")()
    assert isinstance(display, Progress)
    return display
