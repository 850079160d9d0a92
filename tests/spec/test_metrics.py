"""Metrics in specs: their names, what they declare, and where a direction is needed."""

import pickle

import pytest

import harness as h
from harness.analysis.ranking import cut_to_bounds
from harness.core.errors import HarnessError
from harness.core.metric_names import describe, is_share
from harness.spec.arms import Run
from harness.spec.keys import run_key
from harness.stats import Interval
from tests.studies import small

OWN = "tests.metrics.given.share_right"
DECLARED = {"name": OWN, "larger_is_better": True, "unit": "%", "label": "share that is right"}


def recipe(*metrics, **fields):
    base = {"data": "digits", "model": h.MLP(), "optimizer": h.SGD(lr=0.1), "epochs": 2}
    return h.Recipe(**base | fields, metrics=metrics)


def with_metric(metric, /, **fields):
    return small(recipe=small().recipe.with_values({"metrics": [metric]}), **fields)


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("f1", h.F1()),
        ("AUROC", h.AUROC()),
        ("top5", h.TopK(k=5)),
        ("top-3", h.TopK(k=3)),
        ("f1_macro", h.F1(average="macro")),
        ("bits_per_byte", h.BitsPerByte()),
        ("balanced_accuracy", h.BalancedAccuracy()),
        ("mae", h.MeanAbsoluteError()),
        ("r2", h.R2()),
        ({"name": "Recall", "average": "micro"}, h.Recall(average="micro")),
        (h.MCC(), h.MCC()),
    ],
)
def test_metrics_are_named_as_people_name_them(written, part):
    assert recipe(written).metrics == (part,)
    made = h.Recipe(data="digits", optimizer=h.SGD(lr=0.1), epochs=1, metrics=written)
    assert made.metrics == (part,)


def test_a_recipe_with_metrics_is_the_same_from_its_plain_form():
    made = recipe("f1", "top5", DECLARED)
    assert type(made).model_validate(made.dump()) == made and hash(made) == hash(
        recipe(*made.metrics)
    )
    assert made.settings()["metrics"] == "f1, top5, share_right"
    assert made.with_values({"epochs": 5}).metrics == made.metrics
    assert made.metrics[-1] == h.ExternalMetric(OWN, larger_is_better=True, unit="%",
                                                label="share that is right")  # fmt: skip


def test_keys_have_metrics_only_where_there_are_any():
    assert "metrics" not in recipe().dump() and "metrics" not in recipe().settings()
    keys = {
        run_key(Run.of(r, 0), "data", "code") for r in (recipe(), recipe("f1"), recipe(DECLARED))
    }
    assert len(keys) == 3
    from tests.metrics.given import share_right

    assert recipe(DECLARED).targets() == (share_right,)


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        (["f1", h.F1()], "two that are recorded as 'f1'"),
        ([{"name": OWN, "called": "loss"}], "two that are recorded as 'loss'"),
        (["f2"], "unknown metric f2"),
        ([f"{OWN}s"], "has no such name"),
        ([{"name": OWN, "larger_is_better": "yes, please"}], "larger_is_better"),
        ([{"name": OWN, "offset": h.Uniform(0, 1)}], "got a space for offset"),
        (["tests.metrics.given.np"], "expected a function, got tests.metrics.given.np"),
    ],
)
def test_what_is_no_metric_is_refused(metrics, said):
    with pytest.raises(ValueError) as caught:
        recipe(*metrics)
    assert said in str(caught.value)


def test_one_function_twice_has_two_names():
    made = recipe(OWN, {"name": OWN, "offset": 1.0, "called": "more"})
    assert made.settings()["metrics"] == "share_right, more"


def test_a_direction_that_is_needed_must_be_declared():
    unknown, known = OWN, DECLARED
    needs = {
        "search.objective": {"search": h.Search(trials=6, objective="valid/share_right")},
        "metric": {"metric": "test/share_right"},
        "claims.0.on": {"claims": [h.Claim.better("Adam", than="SGD", on="gap/share_right")]},
    }
    for field, fields in needs.items():
        with pytest.raises(ValueError, match=f"{field}: expected a metric of which more or less"):
            with_metric(unknown, **fields)
        with_metric(known, **fields)
    with_metric(unknown)  # measured and shown, and nothing else
    said = {"direction": "maximize"}
    with_metric(unknown, search=h.Search(trials=6, objective="valid/share_right", **said))
    with_metric(unknown, claims=[h.Claim.better("Adam", than="SGD", on="test/share_right", **said)])


def test_two_studies_in_a_process_know_nothing_of_each_other_s_directions():
    claim = h.Claim.better("Adam", than="SGD", on="test/share_right")
    search = h.Search(trials=6, objective="valid/share_right")
    fields = {"claims": [claim], "search": search}
    more = with_metric(DECLARED, **fields)
    less = with_metric(DECLARED | {"larger_is_better": False}, **fields)
    for study, expected in ((more, True), (less, False), (pickle.loads(pickle.dumps(more)), True)):
        assert study.claims[0].maximize == study.search.maximize == expected
        again = h.Study.model_validate(study.dump())
        assert again == study and again.search.maximize == expected
        assert describe("test/share_right", study.recipe.declared).larger_is_better == expected
    assert not claim.maximize and not search.maximize, "what was given stays as it was"
    assert describe("test/share_right").label == "test/share_right"


def test_labels_and_units_are_declared_too():
    known = describe("mean/valid/share_right", recipe(DECLARED).declared)
    assert (known.label, known.unit, known.larger_is_better) == (
        "mean validation share that is right over training",
        "%",
        True,
    )
    several = recipe({"name": "tests.metrics.given.both", "larger_is_better": {"right": True}})
    right, wrong = (describe(f"test/both/{n}", several.declared) for n in ("right", "wrong"))
    assert (right.label, right.larger_is_better) == ("test both right", True)
    assert (wrong.label, wrong.larger_is_better) == ("test both wrong", None)


@pytest.mark.parametrize("name", ["bleu", "valid/bleu"])
def test_what_a_loop_of_one_s_own_records_is_declared(name):
    own = {"name": "Logged", "metric": name, "larger_is_better": True, "unit": "%"}
    known = describe("valid/bleu", recipe(own).declared)
    assert (known.unit, known.larger_is_better) == ("%", True)
    assert known.label == ("validation bleu" if name == "bleu" else "valid/bleu")
    search = h.Search(trials=6, objective="valid/bleu")
    assert with_metric(own, search=search).search.maximize
    from harness.engine.program import program_of
    from harness.spec.resolved import resolve

    with pytest.raises(HarnessError, match="expected a training loop of your own that records"):
        program_of(resolve(recipe(own)))


def test_arms_are_measured_alike():
    levels = {"a": {"metrics": ["f1"]}, "b": {"metrics": ["mcc"]}}
    with pytest.raises(ValueError, match="expected the same metrics for all arms, got others for"):
        small(compare={"mine": levels}, claims=(), search=None)


def test_early_stopping_by_what_is_not_measured_is_refused():
    from harness.engine.program import program_of
    from harness.spec.resolved import resolve

    for metrics, said in (
        (["mcc"], "watches valid/f1, got validation metrics loss, accuracy, mcc"),
        (["f1"], None),
        ([{"name": OWN, "called": "f1"}], "direction is not declared"),
    ):
        made = resolve(recipe(*metrics, regularizers=[h.EarlyStopping(metric="valid/f1")]))
        if said is None:
            program_of(made)
            continue
        with pytest.raises(HarnessError, match=said):
            program_of(made)


@pytest.mark.parametrize("name", [OWN, "Logged"])
def test_bounds_that_a_metric_of_ones_own_declares_are_known_and_cut_intervals(name):
    """The interval of Cohen's kappa went to 1.18."""
    own = {"name": name, "larger_is_better": True, "least": -1.0, "most": 1.0}
    made = with_metric(own | ({"metric": "share_right"} if name == "Logged" else {}))
    [metric] = made.recipe.metrics
    assert metric.dump()["most"] == 1.0, "stored with the study"
    known = describe("test/share_right", made.recipe.declared)
    assert (known.least, known.most) == (-1.0, 1.0)
    assert cut_to_bounds(Interval(0.81, 0.43, 1.18), known).high == 1.0
    assert not is_share("test/share_right", made.recipe.declared)
