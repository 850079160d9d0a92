"""Do learning-rate schedules and warm-up help, each with its own tuned peak? (beyond F11)

python experiments/schedules.py --quick
"""

from harness import (
    MLP,
    SGD,
    Claim,
    Cosine,
    LogUniform,
    OneCycle,
    Recipe,
    Search,
    StepDecay,
    Study,
    WarmUp,
)

RIVALS = {
    "step": StepDecay(),
    "cosine": Cosine(),
    "one-cycle": OneCycle(),
    "warm-up": WarmUp(),
}

study = Study(
    name="schedules",
    question="Does a schedule of the learning rate help, when every one has its own tuned peak?",
    recipe=Recipe(
        data="mnist1d",
        model=MLP(widths=(64, 64)),
        batch_size=64,
        epochs=20,
        optimizer=SGD(lr=LogUniform(1e-3, 1.0), momentum=0.9),
    ),
    compare={"schedule": {"constant": "Constant", **RIVALS}},
    search=Search(trials=16, searches=12, objective="valid/loss"),
    seeds=5,
    claims=[
        *(Claim.better(name, than="constant", id="beyond") for name in RIVALS if name != "warm-up"),
        Claim.equal("warm-up", than="constant", margin=0.05, id="beyond"),
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3, "recipe.epochs": 5},
)

if __name__ == "__main__":
    study.main()
