"""By how much do gradients shrink with depth, and what cures it? (F16)

    python experiments/f16_vanishing_gradients.py --quick

The first layer's gradient norm over the last one's, at the start and over training, for three
activations, three architectures and three depths. Xavier's normal weights and no biases, as in the
theory (Glorot & Bengio 2010). The cures are ReLU, batch normalization and residual connections. The
first layer takes the inputs and has no skip around it: what residual connections do is measured
where they are, from the second layer to the last.
"""

from harness import MLP, Adam, Claim, GradientNorm, Recipe, Study, Xavier

START, SKIPPED = "initial/gradient/ratio", "initial/gradient/hidden_ratio"
HIGHER = {"on": START, "direction": "maximize", "id": "F16"}

study = Study(
    name="f16-vanishing-gradients",
    question="How much does the gradient shrink with depth, and what cures it?",
    recipe=Recipe(
        data="mnist1d",
        model=MLP(bias=False),
        batch_size=64,
        epochs=10,
        optimizer=Adam(lr=1e-3),
        init=Xavier(distribution="normal"),
        dtype="float64",  # squares of gradients of 1e-20 are 0 in float32
    ),
    compare={
        "model.activation": ["sigmoid", "tanh", "relu"],
        "cure": {
            "plain": {},
            "batch norm": {"model.norm": "batch"},
            "residual": {"model.residual": True},
        },
        "depth": {f"{n} layers": {"model.widths": (32,) * n} for n in (5, 15, 30)},
    },
    seeds=12,
    metric="test/accuracy",
    probes=[GradientNorm(every="log")],
    claims=[
        Claim.below("sigmoid / plain / 30 layers", 1e-12, on=START, id="F16"),
        Claim.monotone(
            "depth",
            on=START,
            rising=False,
            among={"model.activation": "sigmoid", "cure": "plain"},
            id="F16",
        ),
        Claim.above("sigmoid / batch norm / 30 layers", 0.1, on=START, id="F16"),
        Claim.below("sigmoid / plain / 30 layers", 1e-12, on=SKIPPED, id="F16"),
        Claim.above("sigmoid / residual / 30 layers", 0.1, on=SKIPPED, id="F16"),
        Claim.better("tanh / plain / 30 layers", than="sigmoid / plain / 30 layers", **HIGHER),
        Claim.better("relu / plain / 30 layers", than="sigmoid / plain / 30 layers", **HIGHER),
        Claim.better(
            "sigmoid / batch norm / 30 layers",
            than="sigmoid / plain / 30 layers",
            on="test/accuracy",
            id="F16",
        ),
        Claim.better(
            "sigmoid / residual / 30 layers",
            than="sigmoid / plain / 30 layers",
            on="test/accuracy",
            id="F16",
        ),
        Claim.better(
            "relu / residual / 30 layers",
            than="relu / plain / 30 layers",
            on="test/accuracy",
            id="F16",
        ),
    ],
    quick={"seeds": 3, "recipe.epochs": 2},
)

if __name__ == "__main__":
    study.main()
