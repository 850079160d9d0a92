"""ŷ = σ(Wₙ … σ(W₁x + b₁) … + bₙ): what becomes of a signal's scale on its way? (F2)

    python experiments/f02_forward_pass.py --quick

The root mean square of the last hidden layer's activations over that of the first, at the start and
after training, for ReLU networks of three depths and three initialisations. In theory Xavier's
weights halve the mean square at every layer, He's keep it (He et al. 2015).
"""

from harness import MLP, Activations, Adam, Claim, He, Recipe, Study, Xavier

START = "initial/activation/ratio"

study = Study(
    name="f02-forward-pass",
    question="What becomes of the scale of activations on their way through a network?",
    recipe=Recipe(data="mnist1d", model=MLP(), batch_size=64, epochs=20, optimizer=Adam(lr=1e-3)),
    compare={
        "depth": {f"{n} layers": {"model.widths": (64,) * n} for n in (2, 5, 10)},
        "init": {"torch's": "Default", "Xavier": Xavier(), "He": He()},
    },
    seeds=10,
    metric="test/accuracy",
    probes=[Activations(every="log")],
    claims=[
        Claim.monotone("depth", on=START, rising=False, among={"init": "Xavier"}, id="F2"),
        Claim.below("10 layers / Xavier", 0.1, on=START, id="F2"),
        Claim.above("10 layers / He", 0.5, on=START, id="F2"),
        Claim.above("10 layers / Xavier", 0.1, on="activation/ratio", id="F2"),
        Claim.better("10 layers / He", than="10 layers / torch's", on="test/accuracy", id="F2"),
    ],
    quick={"seeds": 3, "recipe.epochs": 5},
)

if __name__ == "__main__":
    study.main()
