"""Claims as they are written: one class a kind, old forms understood, mistakes that point at their place."""

import json

import pytest

import harness as h
from harness.analysis.claims.evidence import evidence_on
from harness.core.errors import SpecError
from harness.spec.claims import Claim
from harness.spec.field_docs import field_docs
from harness.spec.files import load_study
from tests.analysis.made import study

MADE = {
    "better": (h.Claim.better("A", than="B", margin=0.1), "A ends with a better test/loss than B by more than 0.1"),
    "no worse": (h.Claim.no_worse("A", than="B", margin=0.1), "A is no worse than B in test/loss, by 0.1"),
    "equal": (h.Claim.equal("A", than="B", margin=0.1), "A and B differ in test/loss by less than 0.1"),
    "cured": (h.Claim.cured("A", of="B", share=0.5), "A takes away more than 50% of the gap/loss of B"),
    "faster": (h.Claim.faster("A", than="B", to=("valid/loss", 0.5)), "A reaches valid/loss 0.5 in fewer steps than B"),
    "monotone": (h.Claim.monotone("optimizer", on="test/loss", rising=False), "test/loss falls at every step along optimizer"),
    "trend": (h.Claim.trend("optimizer", on="test/loss", rising=False, among={"data": "digits"}), "test/loss tends to fall along optimizer with digits"),
    "interaction": (h.Claim.interaction("optimizer", "data"), "What optimizer does to test/loss depends on data"),
    "above": (h.Claim.above("A", 0.5, on="test/loss"), "test/loss of A is above 0.5"),
    "below": (h.Claim.below("A", 0.5, on="test/loss"), "test/loss of A is below 0.5"),
}  # fmt: skip
"""A claim of each kind, and its sentence."""

FLAT = {
    "arm": None, "than": None, "on": "test/loss", "direction": "auto", "target": None, "by": "steps",
    "margin": None, "share": 0.0, "factor": None, "rising": True, "factors": None, "among": {},
    "value": None, "id": "",
}  # fmt: skip
"""What version 0.1 wrote of every claim, whatever its kind."""


def test_every_kind_is_made_here():
    assert MADE.keys() == Claim.kinds.keys()


@pytest.mark.parametrize("kind", MADE)
def test_kinds(kind):
    claim, sentence = MADE[kind]
    assert isinstance(claim, Claim) and type(claim) is Claim.kinds[kind] and claim.kind == kind
    assert str(claim) == sentence
    assert Claim.parse(json.loads(claim.model_dump_json())) == claim
    assert evidence_on.dispatch(type(claim)) is not evidence_on.dispatch(Claim)
    undocumented = [n for n in type(claim).model_fields if n not in field_docs(type(claim))]
    assert undocumented in ([], ["kind"])


@pytest.mark.parametrize("kind", MADE)
def test_claims_stored_by_version_0_1_are_understood(kind):
    claim, _ = MADE[kind]
    stored = {**FLAT, **claim.model_dump(mode="json")}
    assert Claim.parse(stored) == claim


def test_a_monotone_claim_says_how_far_back_a_step_may_go():
    claim = h.Claim.monotone("depth", on="train/loss", rising=True, margin=0.1, target=0.5)
    said = "the number of steps to train/loss 0.5 rises, or falls by less than 0.1, at every step"
    assert str(claim) == f"{said} along depth"
    with pytest.raises(SpecError, match="margin"):
        h.Claim.monotone("depth", on="train/loss", rising=True, margin=-0.1)


def test_a_claim_about_speed_has_a_goal():
    monotone = h.Claim.monotone(
        "optimizer", on="valid/accuracy", rising=True, target=0.9, by="samples"
    )
    assert monotone.goal == ("valid/accuracy", 0.9, "samples", True)
    assert MADE["faster"][0].goal == ("valid/loss", 0.5, "steps", False)
    assert MADE["monotone"][0].goal is None and MADE["better"][0].goal is None


def test_a_field_of_another_kind_is_left_out_with_a_warning():
    with pytest.warns(FutureWarning, match="claim of kind 'above' has no 'margin'"):
        claim = Claim.parse({"kind": "above", "arm": "A", "value": 1.0, "margin": 0.5})
    assert claim == h.Claim.above("A", 1.0, on="test/loss")


@pytest.mark.parametrize("kind", MADE)
def test_what_a_kind_needs_is_required(kind):
    fields = MADE[kind][0].model_dump(mode="json")
    cls = Claim.kinds[kind]
    needed = {name for name, field in cls.model_fields.items() if field.is_required()}
    assert needed, "a claim without any field of its own says nothing"
    for name in needed:
        with pytest.raises(SpecError, match=f"{name}: expected a value, got none"):
            cls(**{n: v for n, v in fields.items() if n != name})


HEAD = """\
name: x
recipe: {data: digits, model: MLP, epochs: 1, optimizer: {name: SGD, lr: 0.1}}
compare:
  optimizer: {A: {name: SGD, lr: 0.1}, B: {name: SGD, lr: 0.2}}
claims:
  - {kind: better, arm: A, than: B}
"""


@pytest.mark.parametrize(
    "claim, said",
    [
        ("{kind: beter, arm: A, than: B}", "x.yaml:7:5: claims.1: unknown kind of claim 'beter': did you mean 'better'?"),
        ("{arm: A, than: B}", "x.yaml:7:5: claims.1: expected a mapping with a 'kind' (better, "),
        ("{kind: better, arm: A}", "x.yaml:7:5: claims.1.than: expected a value, got none"),
        ("{kind: better, arm: A, than: B, margn: 1}", "x.yaml:7:37: claims.1.margn: unknown field; did you mean 'margin'?"),
        ("{kind: better, arm: A, than: B, margin: -1}", "x.yaml:7:37: claims.1.margin: expected a number of at least 0, got -1"),
        ("{kind: better, arm: A, than: B, on: loss}", "x.yaml:7:37: claims.1.on"),
        ("{kind: better, arm: A, than: C}", "claims.1: unknown arm 'C'"),
        ("{kind: monotone, factor: optimiser, on: test/loss}", "claims.1: unknown factor 'optimiser': did you mean 'optimizer'?"),
        ("{kind: monotone, factor: optimizer, on: test/loss}", "claims.1.factor: expected a factor of three levels or more, got 'optimizer'"),
        ("{kind: monotone, factor: optimizer, on: test/loss, among: {optimizer: D}}", "claims.1.among: unknown level 'D'"),
        ("{kind: interaction, factors: [optimizer, optimizer]}", "factors: expected two different factors, got 'optimizer' twice"),
    ],
)  # fmt: skip
def test_mistakes_in_claims(tmp_path, claim, said):
    path = tmp_path / "x.yaml"
    path.write_text(f"{HEAD}  - {claim}\n")
    with pytest.raises(SpecError) as caught:
        load_study(path)
    assert said in str(caught.value)


def test_a_study_writes_only_the_fields_of_each_claim():
    made = study(claims=[MADE["better"][0], MADE["above"][0]])
    better, above = made.dump()["claims"]
    assert set(better) == {"kind", "arm", "than", "on", "direction", "margin", "scope", "id"}
    assert set(above) == {"kind", "arm", "value", "on", "scope", "id"}
    assert h.Study.model_validate(made.dump()) == made


def test_the_schema_has_every_kind():
    options = h.Study.model_json_schema()["properties"]["claims"]["items"]["oneOf"]
    assert {option["properties"]["kind"]["const"] for option in options} == MADE.keys()


def test_files_may_use_the_words_of_python():
    pair = {"arm": "A", "on": "test/loss"}
    assert Claim.parse({"kind": "no_worse", "than": "B", "margin": 0.1, **pair}) == Claim.no_worse(
        "A", than="B", margin=0.1
    )
    assert Claim.parse({"kind": "cured", "of": "B", **pair}) == Claim.cured(
        "A", of="B", on="test/loss"
    )
    goal = {"to": ["valid/accuracy", 0.6], "by": "steps"}
    assert Claim.parse({"kind": "faster", "arm": "A", "than": "B", **goal}) == Claim.faster(
        "A", than="B", to=("valid/accuracy", 0.6)
    )


def test_a_level_in_the_place_of_an_arm_of_crossed_factors_is_told_the_arms():
    compare = {"optimizer": {"A": h.SGD(lr=0.1), "B": h.SGD(lr=0.2)}, "batch_size": [32, 64]}
    recipe = h.Recipe(data="digits", model=h.Linear(), optimizer=h.SGD(lr=0.1), epochs=1)
    with pytest.raises(SpecError, match="an arm has a level of each: A / 32, A / 64"):
        h.Study(name="x", recipe=recipe, compare=compare, claims=[h.Claim.better("A", than="B")])
