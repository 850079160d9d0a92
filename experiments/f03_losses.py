"""Cross-entropy for classes, squared error for numbers: what if the loss suits the task? (F3)

    python experiments/f03_losses.py --quick

Each loss on its own task, and squared error on classes too.
"""

from harness import MLP, MSE, SGD, Claim, CrossEntropy, Diabetes, LogUniform, Recipe, Search, Study

TARGET = ("valid/accuracy", 0.55)

study = Study(
    name="f03-losses",
    question="Which loss suits which task?",
    recipe=Recipe(
        data="mnist1d",
        model=MLP(widths=(64, 64)),
        batch_size=64,
        epochs=40,
        optimizer=SGD(lr=LogUniform(1e-3, 3.0), momentum=0.9),
    ),
    compare={
        "loss and task": {
            "cross-entropy on classes": {"loss": CrossEntropy()},
            "squared error on classes": {"loss": MSE()},
            "squared error on numbers": {"loss": MSE(), "data": Diabetes()},
        }
    },
    search=Search(trials=16, searches=10, objective="valid/loss"),
    seeds=5,
    metric="test/accuracy",
    claims=[
        Claim.better(
            "cross-entropy on classes", than="squared error on classes", on="test/accuracy", id="F3"
        ),
        Claim.faster(
            "cross-entropy on classes",
            than="squared error on classes",
            to=TARGET,
            by="steps",
            id="F3",
        ),
        Claim.above("squared error on classes", 0.5, on="test/accuracy", id="F3"),
        Claim.below("squared error on numbers", 0.6, on="test/loss", id="F3"),
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3, "recipe.epochs": 20},
)

if __name__ == "__main__":
    study.main()
