"""What cures a model that is too simple: capacity, longer training or added features? (F14)

    python experiments/f14_underfitting.py --quick

The base is four hidden units on two spirals; every arm's learning rate is tuned. Added features are
all products of the two coordinates up to the ninth degree.
"""

from harness import MLP, Adam, Claim, LogUniform, Recipe, Search, Spirals, Study

CURES = ("capacity", "longer training", "added features")

study = Study(
    name="f14-underfitting",
    question="What cures an underfitted network: capacity, longer training or added features?",
    recipe=Recipe(
        data=Spirals(noise=0.05),
        model=MLP(widths=(4,)),
        batch_size=32,
        epochs=50,
        optimizer=Adam(lr=LogUniform(1e-3, 1e-1)),
    ),
    compare={
        "cure": {
            "none": {},
            "capacity": {"model": MLP(widths=(64, 64))},
            "longer training": {"epochs": 500},
            "added features": {"data": Spirals(noise=0.05, polynomial=9, standardize=True)},
        }
    },
    search=Search(trials=16, searches=16, objective="valid/loss"),
    seeds=5,
    claims=[
        *(Claim.cured(cure, of="none", on="train/loss", share=0.1, id="F14") for cure in CURES),
        *(Claim.cured(cure, of="none", on="test/loss", share=0.1, id="F14") for cure in CURES),
        Claim.better("capacity", than="longer training", id="F14"),
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3, "recipe.epochs": 20},
)

if __name__ == "__main__":
    study.main()
