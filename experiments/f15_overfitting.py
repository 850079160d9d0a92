"""What cures an overfitted network: L2, dropout, more data, early stopping, or two of them? (F15)

    python experiments/f15_overfitting.py --quick

The base has 600 training samples of MNIST-1D and weights enough to learn them by heart. Every cure
has its own strength tuned; the learning rate is the base's.
"""

from harness import (
    L2,
    MLP,
    MNIST1D,
    Adam,
    Claim,
    Dropout,
    EarlyStopping,
    LogUniform,
    Recipe,
    Search,
    Study,
    Uniform,
)

DATA = {"few": MNIST1D(train_size=600), "more": MNIST1D(train_size=2400)}
REGULARIZERS = {
    "L2": L2(strength=LogUniform(1e-5, 1e-1)),
    "dropout": Dropout(rate=Uniform(0.05, 0.7)),
    "early stopping": EarlyStopping(patience=10),
}
CURES = ("L2", "dropout", "more data", "early stopping")
PAIRS = [f"{a} + {b}" for i, a in enumerate(CURES) for b in CURES[i + 1 :]]


def _recipe(*cures: str) -> dict:
    regularizers = [REGULARIZERS[cure] for cure in cures if cure in REGULARIZERS]
    return {"data": DATA["more" if "more data" in cures else "few"], "regularizers": regularizers}


study = Study(
    name="f15-overfitting",
    question="What cures a network that has learnt its training data by heart?",
    recipe=Recipe(
        data=DATA["few"],
        model=MLP(widths=(128, 128)),
        batch_size=64,
        epochs=120,
        eval_every=2,
        optimizer=Adam(lr=3e-3),
    ),
    compare={
        "cure": {
            "none": _recipe(),
            **{name: _recipe(*name.split(" + ")) for name in (*CURES, *PAIRS)},
        }
    },
    search=Search(trials=10, searches=10, objective="valid/loss"),
    seeds=5,
    claims=[
        *(Claim.cured(cure, of="none", on="gap/loss", id="F15") for cure in CURES),
        *(Claim.cured(cure, of="none", on="test/loss", id="F15") for cure in CURES),
        *(Claim.better(pair, than=pair.split(" + ")[0], id="F15") for pair in PAIRS),
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3, "recipe.epochs": 40},
)

if __name__ == "__main__":
    study.main()
