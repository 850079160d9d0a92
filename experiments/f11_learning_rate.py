"""The learning rate: what is too slow, best, and too fast, for three optimizers? (F11)

    python experiments/f11_learning_rate.py --quick

A grid instead of a search: every rate is an arm, so that the whole curve of loss against rate has
intervals.
"""

from harness import MLP, SGD, Adam, Claim, Recipe, Study

RATES = ("0.0001", "0.0003", "0.001", "0.003", "0.01", "0.03", "0.1", "0.3", "1", "3")

study = Study(
    name="f11-learning-rate",
    question="What does the learning rate do to the loss, optimizer by optimizer?",
    recipe=Recipe(
        data="mnist1d", model=MLP(widths=(64, 64)), batch_size=64, epochs=20, optimizer=SGD(lr=0.1)
    ),
    compare={
        "optimizer": {
            "SGD": SGD(lr=0.1),
            "momentum": SGD(lr=0.1, momentum=0.9),
            "Adam": Adam(lr=0.1),
        },
        "optimizer.lr": {rate: float(rate) for rate in RATES},
    },
    seeds=10,
    claims=[
        Claim.better("SGD / 0.1", than="SGD / 0.0001", id="F11"),
        Claim.better("SGD / 0.1", than="SGD / 3", id="F11"),
        Claim.better("momentum / 0.01", than="momentum / 0.0001", id="F11"),
        Claim.better("momentum / 0.01", than="momentum / 1", id="F11"),
        Claim.better("Adam / 0.001", than="Adam / 0.0001", id="F11"),
        Claim.better("Adam / 0.001", than="Adam / 0.1", id="F11"),
        Claim.better("Adam / 0.001", than="SGD / 0.001", id="F11"),
        Claim.interaction("optimizer", "optimizer.lr", on="test/accuracy", id="F11"),
    ],
    quick={"seeds": 3, "recipe.epochs": 5},
)

if __name__ == "__main__":
    study.main()
