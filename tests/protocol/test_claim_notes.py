"""What a study's runs can't decide is said before it trains."""

import pytest

import harness as h
from harness.protocol.check import notes_of
from harness.protocol.claim_notes import claim_notes


def study(seeds, claims, searches=None):
    recipe = h.Recipe(data="digits", model=h.MLP(widths=(4,)), epochs=1, optimizer=h.SGD(lr=0.1))
    search = searches and h.Search(trials=2, searches=searches)
    levels = {"a": h.SGD(lr=h.LogUniform(1e-3, 1.0) if search else 0.1), "b": h.SGD(lr=0.2)}
    return h.Study(
        name="s",
        recipe=recipe,
        compare={"optimizer": levels},
        seeds=seeds,
        search=search,
        claims=claims,
    )


BOUND = h.Claim.above("a", 0.1, on="test/accuracy")


@pytest.mark.parametrize(
    "seeds, searches, claims, needed",
    [
        (5, None, (BOUND,), "1 of them need 6 runs"),
        (6, None, (BOUND,), None),
        (6, None, (BOUND, BOUND), "2 of them need 7 runs"),
        (10, 5, (BOUND,), "1 of them need 6 searches"),
        (1, 6, (BOUND,), None),
        (
            3,
            None,
            (h.Claim.better("a", than="b"),),
            "3 seeds: fewer than 4 repetitions decide noth",
        ),
        (4, None, (h.Claim.better("a", than="b"),), None),
        (1, 3, (h.Claim.better("a", than="b"),), "nothing; raise searches"),
        (3, None, (), None),
    ],
)
def test_too_few_to_count(seeds, searches, claims, needed):
    notes = list(claim_notes(study(seeds, claims, searches)))
    assert (needed is None) == (not notes) and (needed is None or needed in notes[0])


def test_the_plan_tells_it():
    assert any("leave them undecided" in note for note in notes_of(study(5, (BOUND,))))


def test_arms_of_one_recipe_are_told():
    levels = {"A": h.SGD(lr=0.1), "again": h.SGD(lr=0.1), "B": h.SGD(lr=0.2)}
    same = study(5, ()).model_copy(update={"compare": {"optimizer": levels}})
    (said,) = [note for note in notes_of(same) if "A/A" in note]
    assert said.startswith("arms 'A', 'again' are one recipe")
    assert not any("A/A" in note for note in notes_of(study(5, ())))
