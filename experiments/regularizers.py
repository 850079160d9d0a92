"""What cures an overfitted network: L2, dropout, label smoothing, more data, early stopping, or two of them? (F15)

    python experiments/regularizers.py --quick

The base has 600 training samples of MNIST-1D and weights enough to learn them by heart. Every cure has its own strength
tuned; the learning rate is the base's.
"""

from harness import (
    L1,
    L2,
    MLP,
    Adam,
    Claim,
    Dropout,
    EarlyStopping,
    InputNoise,
    LabelSmoothing,
    LogUniform,
    Mixup,
    Recipe,
    Search,
    Study,
    Uniform,
    WeightDecay,
)
from harness.data.mnist1d import MNIST1D

few, more = MNIST1D(train_size=600), MNIST1D(train_size=2400)
dropout, decay = Dropout(rate=Uniform(0.05, 0.7)), WeightDecay(rate=LogUniform(1e-3, 3.0))

study = Study(
    name="regularizers",
    question="What cures a network that has learnt its training data by heart?",
    recipe=Recipe(data=few, model=MLP(widths=(128, 128)), batch_size=64, epochs=120, eval_every=2, optimizer=Adam(lr=3e-3)),
    compare={
        "cure": {
            "none": {"regularizers": []},
            "L2": {"regularizers": [L2(strength=LogUniform(1e-5, 1e-1))]},
            "L1": {"regularizers": [L1(strength=LogUniform(1e-6, 1e-2))]},
            "weight decay": {"regularizers": [decay]},
            "dropout": {"regularizers": [dropout]},
            "label smoothing": {"regularizers": [LabelSmoothing(amount=Uniform(0.02, 0.5))]},
            "input noise": {"regularizers": [InputNoise(std=LogUniform(0.01, 1.0))]},
            "mixup": {"regularizers": [Mixup(alpha=LogUniform(0.05, 2.0))]},
            "early stopping": {"regularizers": [EarlyStopping(patience=10)]},
            "more data": {"data": more},
            "dropout + weight decay": {"regularizers": [dropout, decay]},
            "more data + dropout": {"data": more, "regularizers": [dropout]},
        }
    },
    search=Search(trials=16, objective="valid/loss"),
    seeds=10,
    claims=[
        Claim.better(cure, than="none", on="test/loss")
        for cure in ("L2", "weight decay", "dropout", "label smoothing", "more data", "early stopping")
    ],
    quick={"search.trials": 6, "seeds": 3, "recipe.epochs": 60},
)

if __name__ == "__main__":
    study.main()
