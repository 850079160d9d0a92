"""When points were computed: every evaluation by the clock, probes in the course of its updates."""

import time

import harness as h
from harness.engine.cohort import start
from harness.engine.loop import advance
from harness.engine.program import program_of
from harness.spec.arms import Run


def test_points_have_the_time_at_which_they_were_computed():
    recipe = h.Recipe(
        data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), batch_size=32, epochs=4
    )
    probe = h.GradientNorm(every=1)
    before = time.time()
    cohort = start([Run.of(recipe, seed, (probe,)) for seed in range(2)], test=False)
    _, _, stop, later, *_ = program_of(cohort.members[0].run.recipe).times.evaluations
    advance(cohort, stop)
    paused = time.time()
    time.sleep(0.05)
    advance(cohort)
    after = time.time()
    for outcome in cohort.outcomes.values():
        steps = [point.step for point in outcome.points]
        times = [outcome.times[step] for step in steps]
        assert set(outcome.times) == set(steps) and len(steps) > 4
        assert before <= outcome.started <= times[0] and times[-1] <= after
        assert times == sorted(times)
        assert outcome.times[stop] <= paused < outcome.times[later] - 0.04
