"""Claims that are judged on made-up runs of arms A, B and C."""

import numpy as np

from harness.analysis.claims import judge_claims as verdicts
from tests.analysis.made import results, study

NOISE = np.random.default_rng(0).normal(0, 0.05, (3, 12))


def judged(claim, values, seeds=12, **more):
    spec = study(claims=[claim], seeds=seeds, **more.pop("spec", {}))
    (result,) = verdicts(results(spec, values, **more))
    return result


def losses(a, b, c=1.0, metric="test/loss"):
    return {
        name: {metric: list(level + NOISE[i])}
        for i, (name, level) in enumerate(zip("ABC", (a, b, c), strict=True))
    }
