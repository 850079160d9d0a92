"""A study's tables, without what is never twice the same."""

import pandas as pd

from harness import results

HOUR = ["run_id", "cost/seconds"]


def tables(uri=None, study="small"):
    loaded = results.load(study, uri)
    by = ["arm", "stage", "trial", "seed"]
    runs = loaded.runs.drop(columns=HOUR).sort_values(by).reset_index(drop=True)
    curves = loaded.curves.drop(columns="run_id").sort_values([*by, "step"]).reset_index(drop=True)
    return runs[sorted(runs)], curves[sorted(curves)], loaded.trials


def assert_same_tables(ours, theirs):
    for a, b in zip(ours, theirs, strict=True):
        pd.testing.assert_frame_equal(a, b, check_like=True)
