"""Does the chain rule give ∂L/∂w for every weight? Gradients against finite differences. (F4)

    python experiments/f04_backpropagation.py --quick

Every model with every loss, in float64, against central differences: the median over single
weights of the derivative's relative error, and the error along the gradient plus a random
direction. Where a kink (of ReLU, of an absolute error) lies between the ends of a difference there
is no derivative to compare with; such weights are left out and counted.
"""

from harness import (
    CNN1D,
    CNN2D,
    MLP,
    SGD,
    Claim,
    DeepLinear,
    Digits,
    GradientCheck,
    Linear,
    Model,
    Recipe,
    Study,
    Transformer,
)

MODELS: dict[str, Model] = {
    "linear": Linear(),
    "deep linear": DeepLinear(width=16),
    "MLP relu": MLP(widths=(16, 16)),
    "MLP tanh": MLP(widths=(16, 16), activation="tanh"),
    "MLP sigmoid": MLP(widths=(16, 16), activation="sigmoid"),
    "MLP gelu": MLP(widths=(16, 16), activation="gelu"),
    "MLP batch norm": MLP(widths=(16, 16), norm="batch"),
    "MLP layer norm": MLP(widths=(16, 16), norm="layer"),
    "MLP residual": MLP(widths=(16, 16), residual=True),
    "CNN 1-D": CNN1D(channels=4),
    "CNN 2-D": CNN2D(channels=(4, 4)),
    "transformer": Transformer(width=8, heads=2, depth=1),
}
LOSSES = ("CrossEntropy", "MSE", "MAE", "Huber", "BCE")


def _network(model: Model) -> dict:
    return (
        {"model": model, "data": Digits(image=True)}
        if isinstance(model, CNN2D)
        else {"model": model}
    )


study = Study(
    name="f04-backpropagation",
    question="Does backpropagation give the derivative of the loss by every weight?",
    recipe=Recipe(data="digits", model=MLP(), optimizer=SGD(lr=0.01), steps=20, dtype="float64"),
    compare={
        "network": {name: _network(model) for name, model in MODELS.items()},
        "loss": list(LOSSES),
    },
    seeds=12,
    metric="mean/gradcheck/error",
    probes=[GradientCheck(every=4, unit="steps")],
    claims=[
        Claim.below(f"{model} / {loss}", 1e-5, on="mean/gradcheck/error", id="F4")
        for model in MODELS
        for loss in LOSSES
    ],
    quick={"seeds": 2, "recipe.steps": 5},
)

if __name__ == "__main__":
    study.main()
