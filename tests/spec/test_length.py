"""Lengths within a run: one way of writing, and whole updates in every unit."""

import pytest

import harness as h
from harness.core.errors import HarnessError, SpecError
from harness.engine.program import program_of
from harness.engine.timetable import make_timetable, run_lengths, samples_seen, schedule_factors
from harness.spec.length import RunLengths, fit_lengths, in_updates
from harness.spec.resolved import resolve

RECIPE = h.Recipe(
    data=h.Digits(train_size=200),
    model=h.MLP(widths=(8,)),
    optimizer=h.SGD(lr=0.1),
    batch_size=60,
    epochs=10,
)


@pytest.mark.parametrize(
    ("written", "kept", "updates"),
    [
        (0.25, 0.25, 10),
        (1, 1.0, 40),
        (0, 0.0, 0),
        ("500 steps", "500 steps", 500),
        ("1 step", "1 steps", 1),
        ("2.5epochs", "2.5 epochs", 10),
        ("1 epoch", "1 epochs", 4),
        ("0.6 epochs", "0.6 epochs", 2),
    ],
)
def test_a_length_is_a_share_or_a_text(written, kept, updates):
    schedule = h.WSD(decay=written)
    assert schedule.dump()["decay"] == kept and h.WSD(decay=kept) == schedule
    assert in_updates(schedule.decay, 40, 4) == updates


@pytest.mark.parametrize("wrong", [2, -0.1, True, None, "5", "5 days", "1.5 steps", "-3 steps", ""])
def test_what_is_no_length_is_refused(wrong):
    with pytest.raises(SpecError, match="a share of the run from 0 to 1, or a text such as"):
        h.WSD(decay=wrong)


@pytest.mark.parametrize("drop_last", [False, True])
def test_samples_are_the_fewest_updates_that_use_them(drop_last):
    recipe = resolve(RECIPE.with_values({"drop_last": drop_last}))
    times = make_timetable(recipe, 200)
    run = run_lengths(recipe, times, 200)
    for samples in (0, 1, 60, 61, 179, 180, 181, 200, 201, 777, 1000):
        fitted = fit_lengths(h.WSD(warm_up=f"{samples} samples"), run)
        updates = in_updates(fitted.warm_up, times.steps, times.per_epoch)
        assert samples_seen(recipe, times, 200, updates) >= samples
        assert updates == 0 or samples_seen(recipe, times, 200, updates - 1) < samples


def test_tokens_are_samples_times_their_length():
    run = RunLengths(steps=100, per_epoch=10, batch=20, epoch_samples=200, sample_tokens=16)
    fitted = h.WSD(warm_up="1e3 tokens", decay="3200 tokens").fitted(run)
    # 1000 tokens are 62.5 samples of 16: 63, in 4 updates of 20
    assert (fitted.warm_up, fitted.decay) == ("4 steps", "10 steps")
    inner = {"schedule": fitted.model_copy(update={"decay": "640 tokens"}), "length": "320 samples"}
    outer = h.Sequence(pieces=[inner, {"schedule": "Constant"}]).fitted(run)
    assert (outer.pieces[0].length, outer.pieces[0].schedule.decay) == ("16 steps", "2 steps")


def test_tokens_of_data_that_have_none_are_refused_by_the_plan():
    recipe = RECIPE.with_values({"schedule": {"name": "WSD", "warm_up": "100 tokens"}})
    with pytest.raises(HarnessError, match="recipe.schedule: WSD: warm_up: .* no sequences"):
        program_of(resolve(recipe))


def test_the_engine_asks_for_factors_in_every_unit():
    schedules = [h.WSD(warm_up=written) for written in (0.1, "4 steps", "1 epochs", "181 samples")]
    recipes = [resolve(RECIPE.with_values({"schedule": s.dump()})) for s in schedules]
    times = make_timetable(recipes[0], 200)
    factors_SK = schedule_factors(recipes, run_lengths(recipes[0], times, 200), 0, 40)
    assert factors_SK[:5, 0].tolist() == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert all((factors_SK[:, 0] == factors_SK[:, k]).all() for k in range(4))
