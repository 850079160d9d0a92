"""As the loss falls, does accuracy improve? (F1)

    python experiments/f01_core_principle.py --quick

The rank correlation of loss and accuracy over training, on the training and the held-out part
apart; the report's table of progress shows both at epochs 1, 10, 50, 100 and 200. Nothing is tuned:
the claim is about any training that works.
"""

from harness import MLP, SGD, Claim, Recipe, Study

study = Study(
    name="f01-core-principle",
    question="As the loss falls, does accuracy improve?",
    recipe=Recipe(
        data="digits",
        model=MLP(widths=(64, 64)),
        batch_size=64,
        epochs=200,
        eval_every=1,
        optimizer=SGD(lr=0.1),
    ),
    compare={"data": ["digits", "mnist1d"]},
    seeds=10,
    claims=[
        Claim.below(data, -0.9, on=f"rank_correlation/{part}", id="F1")
        for data in ("digits", "mnist1d")
        for part in ("train", "valid")
    ],
    quick={"seeds": 3, "recipe.epochs": 50},
)

if __name__ == "__main__":
    study.main()
