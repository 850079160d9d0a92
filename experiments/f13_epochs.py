"""How long to train: what is too short, too long, and where does the best epoch lie? (F13)

python experiments/f13_epochs.py --quick
"""

from harness import MLP, MNIST1D, Adam, Claim, Recipe, Study

study = Study(
    name="f13-epochs",
    question="How many epochs are too few, and how many too many?",
    recipe=Recipe(
        data=MNIST1D(train_size=1000),
        model=MLP(widths=(64, 64)),
        batch_size=50,
        epochs=10,
        optimizer=Adam(lr=1e-3),
    ),
    compare={"epochs": {f"{n} epochs": n for n in (3, 10, 30, 100, 300, 1000)}},
    seeds=10,
    claims=[
        Claim.better("30 epochs", than="3 epochs", id="F13"),
        Claim.better("30 epochs", than="1000 epochs", id="F13"),
        Claim.better("100 epochs", than="1000 epochs", id="F13"),
        Claim.below("1000 epochs", 100, on="best/epoch", id="F13"),
        Claim.no_worse("1000 epochs", than="30 epochs", margin=0.02, on="test/accuracy", id="F13"),
        Claim.trend("epochs", on="train/loss", rising=False, id="F13"),
        Claim.trend("epochs", on="gap/loss", rising=True, id="F13"),
    ],
    quick={"seeds": 3, "recipe.data.train_size": 250},
)

if __name__ == "__main__":
    study.main()
