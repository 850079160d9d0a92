"""θ ← θ − η∇L: is the decrease of the loss the promised −η‖∇L‖², as η shrinks? (F5)

    python experiments/f05_update.py --quick

At every update the loss of its batch before and after a step down the gradient, against the
first-order value; the relative error should shrink in proportion to η (Taylor).
"""

from harness import MLP, SGD, Claim, Descent, Recipe, Study, Surfaces, Trajectory

RATES = ("1e-05", "0.0001", "0.001", "0.01", "0.1")
ERROR = "mean/descent/error"

study = Study(
    name="f05-update",
    question="Is the decrease of the loss the first-order one, as the learning rate shrinks?",
    recipe=Recipe(
        data="digits",
        model=MLP(widths=(32, 32), activation="tanh"),
        batch_size=64,
        steps=400,
        optimizer=SGD(lr=0.1),
        dtype="float64",
    ),
    compare={"optimizer.lr": {f"η = {rate}": float(rate) for rate in RATES}},
    seeds=10,
    metric=ERROR,
    probes=[
        Descent(every=4, unit="steps"),
        Trajectory(every=8, unit="steps"),
        # the rates themselves are compared: each arm moves at its own
        Surfaces(rates=1),
    ],
    claims=[
        Claim.monotone("optimizer.lr", on=ERROR, rising=True, id="F5"),
        Claim.below("η = 1e-05", 1e-3, on=ERROR, id="F5"),
        Claim.above("η = 0.1", 0.1, on=ERROR, id="F5"),
        *(
            Claim.below(f"η = {rate}", 0.0, on="highest/descent/real", id="F5")
            for rate in RATES[:3]
        ),
    ],
    quick={"seeds": 3, "recipe.steps": 100},
)

if __name__ == "__main__":
    study.main()
