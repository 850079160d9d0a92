"""Adam: is it faster than tuned SGD and momentum, and what does its bias correction do? (F10)

    python experiments/f10_adam.py --quick

Without the correction the first step is η(1 − β₁)/√(1 − β₂) = 3.2η for every weight instead of η.
How sensitive each is to its learning rate shows in the search section of the report, and in the
study f11-learning-rate.
"""

from harness import (
    MLP,
    SGD,
    Adam,
    Claim,
    LogUniform,
    Recipe,
    Search,
    Study,
    Surfaces,
    Trajectory,
    UpdateRatio,
)

TARGET, FIRST = ("valid/accuracy", 0.5), "initial/update/norm"
SPEED = "mean/valid/accuracy"

study = Study(
    name="f10-adam",
    question="Is Adam faster than tuned SGD and momentum, and what does bias correction do?",
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
            "SGD": SGD(lr=LogUniform(1e-3, 1.0)),
            "momentum 0.9": SGD(lr=LogUniform(1e-3, 1.0), momentum=0.9),
            "Adam": Adam(lr=LogUniform(1e-4, 1e-1)),
            "Adam, uncorrected": Adam(lr=LogUniform(1e-4, 1e-1), bias_correction=False),
            "Adam, η = 0.001": Adam(lr=1e-3),
            "Adam, uncorrected, η = 0.001": Adam(lr=1e-3, bias_correction=False),
        }
    },
    search=Search(trials=16, searches=24, objective="valid/accuracy", reduce="mean"),
    seeds=5,
    probes=[UpdateRatio(every="log"), Trajectory(every=40, unit="steps"), Surfaces()],
    claims=[
        Claim.faster("Adam", than="SGD", to=TARGET, by="steps", id="F10"),
        Claim.faster("Adam", than="momentum 0.9", to=TARGET, by="steps", id="F10"),
        Claim.better("Adam, η = 0.001", than="Adam, uncorrected, η = 0.001", on=FIRST, id="F10"),
        Claim.equal("Adam, uncorrected", than="Adam", margin=0.02, on=SPEED, id="F10"),
    ],
    quick={"search.trials": 6, "search.searches": 1, "seeds": 4, "recipe.steps": 1000},
)

if __name__ == "__main__":
    study.main()
