"""Adam with L2 against AdamW: does it matter where the decay is put? (beyond F15)

    python experiments/decay.py --quick

Loshchilov & Hutter 2019: an L2 penalty goes through Adam's rescaling and decays weights with large
gradients less. Both arms tune their rate and their strength.
"""

from harness import L2, MLP, MNIST1D, Adam, AdamW, Claim, LogUniform, Recipe, Search, Study

LR, STRENGTH = LogUniform(1e-4, 1e-1), LogUniform(1e-6, 1e-1)

study = Study(
    name="decay",
    question="Adam with an L2 penalty, or AdamW: does it matter where the decay is put?",
    recipe=Recipe(
        data=MNIST1D(train_size=1000),
        model=MLP(widths=(128, 128)),
        batch_size=64,
        epochs=60,
        optimizer=Adam(lr=1e-3),
    ),
    compare={
        "decay": {
            "none": {"optimizer": Adam(lr=LR)},
            "L2": {"optimizer": Adam(lr=LR), "regularizers": [L2(strength=STRENGTH)]},
            "AdamW": {"optimizer": AdamW(lr=LR, weight_decay=LogUniform(1e-2, 10.0))},
        }
    },
    search=Search(trials=16, searches=24, objective="valid/loss"),
    seeds=5,
    claims=[
        Claim.better("L2", than="none", id="beyond"),
        Claim.better("AdamW", than="none", id="beyond"),
        Claim.better("AdamW", than="L2", id="beyond"),
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3, "recipe.epochs": 10},
)

if __name__ == "__main__":
    study.main()
