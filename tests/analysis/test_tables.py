"""Tables are the same whatever order a store gives things in."""

import pandas as pd

from harness.analysis.tables import closing_names, run_table
from harness.core.study_record import RunEntry
from tests.analysis.made import recorded_run

CLOSING = {"test/loss": 0.5, "batch/noise": 0.1, "best/step": 4.0}
PARAMS = {"optimizer.lr": "0.1", "batch_size": "32", "seed": "0"}


def backwards(values):
    return dict(reversed(values.items()))


def test_columns_do_not_go_by_the_order_that_metrics_arrived_in():
    """Of a study killed in the middle of a run's way to a server, columns were in another order."""
    entries = [
        RunEntry(f"r{seed}", f"k{seed}", "A", {}, "confirm", 0, seed, "finished") for seed in (0, 1)
    ]
    given = {
        f"r{seed}": recorded_run(f"r{seed}", "A", seed, "finished", CLOSING) for seed in (0, 1)
    }
    given = {key: run._replace(params=PARAMS) for key, run in given.items()}
    late = given["r0"]._replace(params=backwards(PARAMS), closing=backwards(CLOSING))
    again = {"r0": late, "r1": given["r1"]}
    pd.testing.assert_frame_equal(run_table(entries, again), run_table(entries, given))
    assert closing_names(entries, again) == closing_names(entries, given) == tuple(sorted(CLOSING))
