"""Which initial weights suit which activation, in a deep plain network? (beyond F16)

    python experiments/initialisation.py --quick

He's variance is made for ReLU (He et al. 2015), Xavier's for tanh (Glorot & Bengio 2010). The rate
is tuned in each cell.
"""

from harness import MLP, SGD, Claim, He, LogUniform, Normal, Recipe, Search, Study, Xavier

SPEED = "mean/valid/accuracy"

study = Study(
    name="initialisation",
    question="Which initial weights suit which activation in a network of ten layers?",
    recipe=Recipe(
        data="mnist1d",
        model=MLP(widths=(64,) * 10),
        batch_size=64,
        epochs=20,
        optimizer=SGD(lr=LogUniform(1e-3, 1.0), momentum=0.9),
    ),
    compare={
        "model.activation": ["relu", "tanh"],
        "init": {
            "torch's": "Default",
            "Xavier": Xavier(),
            "He": He(),
            "N(0, 0.01²)": Normal(std=0.01),
        },
    },
    search=Search(trials=10, searches=10, objective="valid/accuracy", reduce="mean"),
    seeds=4,
    claims=[
        Claim.better("relu / He", than="relu / torch's", on=SPEED, id="beyond"),
        Claim.equal("relu / He", than="relu / Xavier", margin=0.02, on=SPEED, id="beyond"),
        Claim.better("tanh / Xavier", than="tanh / torch's", on=SPEED, id="beyond"),
        Claim.below("relu / N(0, 0.01²)", 0.2, on="test/accuracy", id="beyond"),
        Claim.interaction("model.activation", "init", on=SPEED, id="beyond"),
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3, "recipe.epochs": 5},
)

if __name__ == "__main__":
    study.main()
