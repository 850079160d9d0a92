"""Finished runs that nobody trained, and a session open for them."""

import harness as h
from harness.core.records import Outcome, Point
from harness.spec.arms import Arm, Run
from harness.tracking import About, Record, Session

RECIPE = h.Recipe(data="iris", model=h.MLP(widths=(4,)), optimizer=h.SGD(lr=0.1), epochs=1)
POINTS = (Point(0, 0.0, 0, {"valid/loss": 1.0}), Point(4, 1.0, 120, {"valid/loss": 0.5}))
ABOUT = About("title", {"name": "s"}, "hash", "iris", "f" * 64)


def record(trial=0, key="k0", status="finished", points=POINTS, arrays=None, **summary):
    outcome = Outcome(status, points, {"valid/loss": 0.5, **summary}, arrays=arrays or {})
    return Record(key, Run.of(RECIPE, 0), outcome, "search", "arm", trial, {})


_LAST = {}


def opened(name="s", uri=None, about=ABOUT, levels=None, **options):
    """Return a session with one arm, "arm", and the runs that it need not be given again.

    The one that was opened before is over: one process drives a study.
    """
    if name in _LAST:
        _LAST.pop(name).close()
    session = _LAST[name] = Session(name, uri, **options)
    return session, session.open(about, [Arm("arm", levels or {}, RECIPE)])


def recorded(session, *records):
    """Record runs as one batch, and wait until the store has them; return their ids there."""
    ids = session.record(records)
    session.settle(())
    return [session._outbox.stored_id(run_id) for run_id in ids]
