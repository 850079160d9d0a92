"""The names under which stores hold what they hold: written out once more, since a store outlives
its harness."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import harness
from harness.tracking.schema import (
    RunFile,
    StudyFile,
    Tag,
    closing_name,
    closing_values,
    is_closing,
)

TAGS = {
    "KIND": "harness.kind",
    "KEY": "harness.key",
    "STAGE": "harness.stage",
    "ARM": "harness.arm",
    "SEARCH": "harness.search",
    "TRIAL": "harness.trial",
    "SEED": "harness.seed",
    "STATUS": "harness.status",
    "DETAIL": "harness.detail",
    "CURVES": "harness.curves",
    "ARRAYS": "harness.arrays",
    "WEIGHTS": "harness.weights",
    "RECORD": "harness.record",
    "ENGINE": "harness.engine",
    "COMMIT": "harness.commit",
    "DIRTY": "harness.dirty",
    "COMMAND": "harness.command",
    "SPEC": "harness.spec",
    "ANSWER": "harness.answer",
    "CLOCK": "harness.clock",
    "ANSWERS": "harness.answers",
    "MEAN_OF": "harness.mean_of",
    "CURVES_OF": "harness.curves_of",
    "SHARING": "harness.sharing",
    "SENDER": "harness.sender",
    "COMMON": "harness.common",
    "OWNER": "harness.owner",
    "DRIVER": "harness.driver",
    "RUN_NAME": "mlflow.runName",
    "PARENT": "mlflow.parentRunId",
    "NOTE": "mlflow.note.content",
    "USER": "mlflow.user",
    "SOURCE": "mlflow.source.name",
    "GIT_COMMIT": "mlflow.source.git.commit",
    "DATA_CONTEXT": "mlflow.data.context",
    "EXPERIMENT_KIND": "mlflow.experimentKind",
    "PRIMARY_METRIC": "mlflow.experiment.primaryMetric.name",
    "COLOR": "mlflow.runColor",
    "SAVED_VIEW": "mlflow.sharedViewState.",
}
STUDY_FILES = {
    "SPEC": "spec.json",
    "INDEX": "index.json",
    "ENVIRONMENT": "environment.json",
    "DIFF": "diff.patch",
    "REPORT": "report.html",
    "FIGURES": "figures",
    "CODE": "code",
    "CURVES": "curves",
}
RUN_FILES = {
    "CURVES": "curves.json",
    "ARRAYS": "arrays.json",
    "WEIGHTS": "weights.safetensors",
}


def constants(cls):
    return {name: value for name, value in vars(cls).items() if name.isupper()}


@pytest.mark.parametrize(
    "cls, names", [(Tag, TAGS), (StudyFile, STUDY_FILES), (RunFile, RUN_FILES)]
)
def test_names_in_stores_stay(cls, names):
    assert constants(cls) == names


@pytest.mark.parametrize(
    "metric, stored",
    [
        ("valid/loss", "final/valid/loss"),
        ("gradient/all", "final/gradient/all"),
        ("test/accuracy", "test/accuracy"),
        ("cost/steps", "cost/steps"),
        ("best/valid/loss", "best/valid/loss"),
    ],
)
def test_closing_values_have_names_of_their_own_in_the_store_alone(metric, stored):
    assert closing_name(metric) == stored and is_closing(stored)
    assert closing_values({metric: 1.0, stored: 2.0}) == {metric: 2.0}


def test_no_other_module_has_a_tag():
    root = Path(harness.__file__).parent
    tags = set(TAGS.values())
    having = [
        f"{path.relative_to(root)}: {node.value}"
        for path in sorted(root.rglob("*.py"))
        if path.name != "schema.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if node.value in tags or node.value == "final/"
    ]
    assert having == []
