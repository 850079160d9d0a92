"""Optimizer, batch size or regularizer: which decides what an MLP learns on MNIST-1D? (F17)

    make study                            the quick form
    python experiments/f17_flagship.py    the whole study

Every cell of the factorial design has its own learning rate (and its own strength of
regularization) tuned.
"""

from harness import (
    MLP,
    SGD,
    Adam,
    Claim,
    Dropout,
    LogUniform,
    Recipe,
    Search,
    Study,
    Uniform,
    WeightDecay,
)

LR = LogUniform(1e-3, 1.0)

study = Study(
    name="flagship",
    question="Optimizer, batch size or regularizer: what decides how well an MLP learns MNIST-1D?",
    recipe=Recipe(data="mnist1d", model=MLP(widths=(64, 64)), epochs=40, optimizer=SGD(lr=LR)),
    compare={
        "optimizer": {
            "SGD": SGD(lr=LR),
            "Momentum": SGD(lr=LR, momentum=0.9),
            "Adam": Adam(lr=LogUniform(1e-4, 1e-1)),
        },
        "batch_size": [32, 512],
        "regularizer": {
            "none": {"regularizers": []},
            "weight decay": {"regularizers": [WeightDecay(rate=LogUniform(1e-4, 1.0))]},
            "dropout": {"regularizers": [Dropout(rate=Uniform(0.02, 0.5))]},
        },
    },
    search=Search(trials=12, searches=24, objective="valid/accuracy"),
    seeds=4,
    answer=(0,),
    hero="interactions",
    claims=[
        Claim.interaction("optimizer", "batch_size", on="test/accuracy", id="F17"),
        Claim.interaction("optimizer", "regularizer", on="test/accuracy", id="F17"),
        Claim.interaction("batch_size", "regularizer", on="test/accuracy", id="F17"),
        Claim.equal(
            "Adam / 32 / none", than="SGD / 32 / none", margin=0.03, on="test/accuracy", id="F17"
        ),
        Claim.better("Adam / 32 / none", than="Adam / 512 / none", on="test/accuracy", id="F17"),
        Claim.better("Adam / 32 / dropout", than="Adam / 32 / none", on="test/accuracy", id="F17"),
    ],
    quick={"search.trials": 6, "search.searches": 1, "seeds": 3, "recipe.epochs": 20},
)

if __name__ == "__main__":
    study.main()
