"""v ← βv + ∇L, θ ← θ − ηv: is momentum faster and smoother, and does η/(1 − β) count? (F9)

    python experiments/f09_momentum.py --quick

β from 0 to 0.99, each with its own learning rate, tuned over the same range of the effective rate
η/(1 − β); and untuned pairs of the same effective rate.
"""

from harness import (
    MLP,
    SGD,
    Alignment,
    Claim,
    LogUniform,
    Recipe,
    Search,
    Study,
    Surfaces,
    Trajectory,
)

BETAS = (0.0, 0.9, 0.95, 0.99)
TARGET, SMOOTH = ("valid/accuracy", 0.5), "mean/alignment/updates"


def _rates(share: float) -> LogUniform:
    """Return rates whose effective rate η/(1 − β) lies between 0.01 and 3."""
    return LogUniform(0.01 * share, 3.0 * share)


study = Study(
    name="f09-momentum",
    question="Does momentum reach a target sooner, and does it smooth the updates?",
    recipe=Recipe(
        data="mnist1d",
        model=MLP(widths=(64, 64)),
        batch_size=64,
        steps=2000,
        eval_every=20,
        optimizer=SGD(lr=0.1),
    ),
    compare={
        "optimizer": {
            **{f"β = {beta:g}": SGD(lr=_rates(1 - beta), momentum=beta) for beta in BETAS},
            "β = 0, η = 0.1": SGD(lr=0.1),
            "β = 0.9, η = 0.01": SGD(lr=0.01, momentum=0.9),
            "β = 0.9, η = 0.1": SGD(lr=0.1, momentum=0.9),
        }
    },
    search=Search(trials=16, searches=16, objective="valid/accuracy", reduce="mean"),
    seeds=5,
    answer=(0, 2),
    probes=[Alignment(every=20, unit="steps"), Trajectory(every=40, unit="steps"), Surfaces()],
    claims=[
        Claim.faster("β = 0.9", than="β = 0", to=TARGET, by="steps", id="F9"),
        Claim.faster("β = 0.99", than="β = 0", to=TARGET, by="steps", id="F9"),
        Claim.better("β = 0.9", than="β = 0", on=SMOOTH, direction="maximize", id="F9"),
        Claim.better("β = 0.99", than="β = 0.9", on=SMOOTH, direction="maximize", id="F9"),
        Claim.equal(
            "β = 0.9, η = 0.01", than="β = 0, η = 0.1", margin=0.02, on="test/accuracy", id="F9"
        ),
        Claim.faster("β = 0.9, η = 0.1", than="β = 0, η = 0.1", to=TARGET, by="steps", id="F9"),
    ],
    quick={"search.trials": 6, "search.searches": 1, "seeds": 4, "recipe.steps": 1000},
)

if __name__ == "__main__":
    study.main()
