"""Which optimizer trains an MLP best on MNIST-1D, each tuned with the same budget? (F9 momentum, F10 Adam)

    python experiments/optimizers.py --quick

The claims are about steps to a target, so trials are judged by the mean validation accuracy over training: a rate that
gets there early counts as much as one that ends high.
"""

from harness import MLP, SGD, Adagrad, Adam, AdamW, Claim, Lion, LogUniform, Recipe, RMSprop, Search, Study, Uniform

LR = LogUniform(1e-3, 1.0)
ADAPTIVE_LR = LogUniform(1e-4, 1e-1)
MOMENTUM = Uniform(0.8, 0.99)
TARGET = ("valid/accuracy", 0.55)

study = Study(
    name="optimizers",
    question="Which optimizer trains an MLP best on MNIST-1D, each tuned with the same budget?",
    recipe=Recipe(data="mnist1d", model=MLP(widths=(64, 64)), batch_size=64, epochs=40, optimizer=SGD(lr=0.1)),
    compare={
        "optimizer": {
            "SGD": SGD(lr=LR),
            "Momentum": SGD(lr=LR, momentum=MOMENTUM),
            "Nesterov": SGD(lr=LR, momentum=MOMENTUM, nesterov=True),
            "Adagrad": Adagrad(lr=LogUniform(1e-3, 1.0)),
            "RMSprop": RMSprop(lr=ADAPTIVE_LR),
            "Adam": Adam(lr=ADAPTIVE_LR),
            "AdamW": AdamW(lr=ADAPTIVE_LR, weight_decay=LogUniform(1e-4, 1.0)),
            "Lion": Lion(lr=LogUniform(1e-5, 1e-2)),
        }
    },
    search=Search(trials=24, objective="valid/accuracy", reduce="mean"),
    seeds=10,
    claims=[
        Claim.faster("Momentum", than="SGD", to=TARGET, by="steps"),
        Claim.faster("Adam", than="SGD", to=TARGET, by="steps"),
        Claim.faster("Adam", than="Momentum", to=TARGET, by="steps"),
        Claim.better("Adam", than="SGD", on="test/accuracy"),
    ],
    quick={"search.trials": 8, "seeds": 3, "recipe.epochs": 20},
)

if __name__ == "__main__":
    study.main()
