"""What is known of metrics: every one that is recorded is described, directions are right, old names are understood."""

import re

import pytest

import harness as h
from harness.analysis.quantities import quantity_of, say
from harness.catalog import KINDS
from harness.core.metric_names import (
    current_name,
    describe,
    larger_is_better,
    percent_of,
    recorded_sources,
    stored_names,
)
from harness.core.metric_table import DERIVED, RECORDED
from harness.stats import Interval
from harness.tracking.schema import closing_values
from tests.analysis.made import study

LABELS = {
    "test/accuracy": "test accuracy",
    "mean/valid/accuracy": "mean validation accuracy over training",
    "rank_correlation/valid": "rank correlation of validation loss and accuracy",
    "gap/loss": "generalization gap of the loss",
    "initial/gradient/layers.0": "initial gradient norm of layers.0",
    "confusion/accuracy3": "accuracy of class 3",
    "curvature/top2": "eigenvalue 2",
    "my/own": "my/own",
    "test/f1_macro": "test F1, macro",
    "gap/auroc": "generalization gap of the auroc",
}  # fmt: skip
"""What people call a metric."""

TO_BE_MAXIMISED = {
    "train/accuracy", "valid/accuracy", "test/accuracy", "batch/accuracy", "confusion/worst",
    "confusion/accuracy7", "throughput/samples", "throughput/updates",
    "mean/valid/accuracy", "initial/valid/accuracy", "lowest/test/accuracy", "my/balanced_accuracy",
}  # fmt: skip
TO_BE_MINIMISED = {
    "test/loss", "gap/accuracy", "gap/loss", "rank_correlation/valid", "generalization/accuracy",
    "curvature/top", "calibration/error", "cost/seconds", "mean/valid/loss", "my/accuracy_error",
}  # fmt: skip

RENAMES = {
    "start/gradient/ratio": "initial/gradient/ratio",
    "order/valid": "rank_correlation/valid",
    "curvature/edge": "curvature/stability_threshold",
    "mean/curvature/edge": "mean/curvature/stability_threshold",
    "start/curvature/edge": "initial/curvature/stability_threshold",
}


@pytest.mark.parametrize("metric, label", LABELS.items())
def test_labels(metric, label):
    assert describe(metric).label == label


def test_shares_are_read_in_percent_and_their_differences_in_points():
    # an R² can be negative, and nobody reads it in percent
    shares = {name for name, known in RECORDED.items() if known.description.startswith("share of ")}
    words = {"<part>": "test", "<average>": "macro", "<number>": "3", "<layer>": "out"}
    shares = {re.sub("<[a-z]+>", lambda found: words[found[0]], name) for name in shares}
    assert len(shares) > 12
    assert {name for name in shares if percent_of(name) != "%"} == {"test/r2"}
    for gap in (
        "generalization/accuracy",
        "mean/generalization/accuracy",
        "gap/accuracy",
        "gap/f1",
    ):
        assert percent_of(gap) == "pp"
    interval = Interval(0.0123, 0.01, 0.0146)
    assert say(interval, quantity_of("generalization/accuracy", {})) == "1.23 [1.00, 1.46] pp"
    assert percent_of("gap/loss") == percent_of("rank_correlation/valid") == ""


@pytest.mark.parametrize("metric", sorted(TO_BE_MAXIMISED | TO_BE_MINIMISED))
def test_directions_are_the_same_everywhere(metric):
    more = metric in TO_BE_MAXIMISED
    assert larger_is_better(metric) == more
    assert h.Claim.better("A", than="B", on=metric).maximize == more
    if metric.startswith("valid/"):
        assert h.Search(objective=metric).maximize == more


def test_every_recorded_metric_is_described():
    recipe = h.Recipe(
        data="digits",
        model=h.MLP(widths=(8, 8), activation="tanh"),
        optimizer=h.Adam(lr=0.01),
        batch_size=64,
        steps=3,
        eval_every=1,
    )
    probes = {name: {"name": name, "every": 1, "unit": "steps"} for name in KINDS["probe"].parts}
    probes["Curvature"] |= {"top": 2, "vectors": 1}
    trained = h.train(recipe, probes=list(probes.values()))
    names = {name for name in [*trained.curves, *trained.runs] if "/" in name}
    assert {"gradient/ratio", "curvature/top2", "confusion/accuracy3", "batch/noise"} <= names
    assert [name for name in sorted(names) if not describe(name).description] == []


def test_every_description_is_filled_in():
    for name in RECORDED:
        example = name
        for mark, word in {
            "part": "valid",
            "layer": "out",
            "number": "2",
            "average": "macro",
        }.items():
            example = example.replace(f"<{mark}>", word)
        known = describe(example)
        assert known.label and known.description and "{" not in known.label + known.description
    for word, derivation in DERIVED.items():
        assert "{}" in derivation.label and derivation.description
        assert recorded_sources(f"{word}/loss") != (f"{word}/loss",)


@pytest.mark.parametrize("old, new", RENAMES.items())
def test_old_names_are_understood_with_a_warning(old, new):
    with pytest.warns(FutureWarning, match=f"{old!r} is now called {new!r}"):
        assert current_name(old) == new
    with pytest.warns(FutureWarning):
        assert h.Claim.better("A", than="B", on=old).on == new
    with pytest.warns(FutureWarning):
        assert study(metric=old).metric == new
    assert current_name(new) == new


@pytest.mark.parametrize(
    "name", ["start/mine", "order/of_things", "mine/curvature_edge", "my.curvature/edge"]
)
def test_names_of_one_s_own_are_left_alone(name):
    assert current_name(name) == name


def test_values_recorded_under_an_old_name_are_found_under_the_new_one():
    with pytest.warns(FutureWarning, match="stability_threshold"):
        values = closing_values({"final/curvature/edge": 20.0, "test/loss": 1.0})
    assert values == {"curvature/stability_threshold": 20.0, "test/loss": 1.0}
    assert "curvature/edge" in stored_names(["curvature/stability_threshold"])
