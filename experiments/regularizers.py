"""More cures of overfitting, label smoothing among them. (beyond F15)

    python experiments/regularizers.py --quick

The same overfitted base as in f15_overfitting.py; every cure has its own strength tuned.
"""

from harness import (
    L1,
    MLP,
    MNIST1D,
    Adam,
    Claim,
    InputNoise,
    LabelSmoothing,
    LogUniform,
    MaxNorm,
    Mixup,
)

from harness import Recipe, Search, Study, Uniform, WeightDecay  # isort: skip

CURES = {
    "L1": L1(strength=LogUniform(1e-6, 1e-2)),
    "weight decay": WeightDecay(rate=LogUniform(1e-3, 3.0)),
    "max-norm": MaxNorm(limit=LogUniform(0.1, 10.0)),
    "label smoothing": LabelSmoothing(amount=Uniform(0.02, 0.5)),
    "input noise": InputNoise(std=LogUniform(0.01, 1.0)),
    "mixup": Mixup(alpha=LogUniform(0.05, 2.0)),
}

study = Study(
    name="regularizers",
    question="What else cures a network that has learnt its training data by heart?",
    recipe=Recipe(
        data=MNIST1D(train_size=600),
        model=MLP(widths=(128, 128)),
        batch_size=64,
        epochs=120,
        eval_every=2,
        optimizer=Adam(lr=3e-3),
    ),
    compare={"regularizers": {"none": [], **{name: [cure] for name, cure in CURES.items()}}},
    search=Search(trials=10, searches=12, objective="valid/loss"),
    seeds=5,
    claims=[
        *(Claim.better(cure, than="none", id="beyond") for cure in CURES),
        *(Claim.better(cure, than="none", on="test/accuracy", id="beyond") for cure in CURES),
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3, "recipe.epochs": 40},
)

if __name__ == "__main__":
    study.main()
