"""More optimizers against SGD with momentum, all tuned alike. (beyond F9 and F10)

    python experiments/optimizers.py --quick

The objective was fixed before this form was run: the mean validation accuracy over training, which
asks for speed and for a good end alike. To beat momentum means to be ahead by two percentage points
of it. Searches are added until every claim is decided or there are 12.
"""

from harness import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Claim,
    Lion,
    LogUniform,
    Muon,
    RAdam,
    RMSprop,
    Uniform,
)

from harness import MLP, Recipe, Search, Searches, Study  # isort: skip

LR = LogUniform(1e-3, 1.0)
ADAPTIVE_LR = LogUniform(1e-4, 1e-1)
MOMENTUM = Uniform(0.8, 0.99)
RIVALS = {
    "Nesterov": SGD(lr=LR, momentum=MOMENTUM, nesterov=True),
    "Adagrad": Adagrad(lr=LR),
    "RMSprop": RMSprop(lr=ADAPTIVE_LR),
    "Adam": Adam(lr=ADAPTIVE_LR),
    "AdamW": AdamW(lr=ADAPTIVE_LR, weight_decay=LogUniform(1e-4, 1.0)),
    "RAdam": RAdam(lr=ADAPTIVE_LR),
    "Lion": Lion(lr=LogUniform(1e-5, 1e-2)),
    "Muon": Muon(lr=LogUniform(1e-3, 1e-1), adam_lr=ADAPTIVE_LR),
}

study = Study(
    name="optimizers",
    question="Does any optimizer beat tuned SGD with momentum on an MLP and MNIST-1D?",
    recipe=Recipe(
        data="mnist1d",
        model=MLP(widths=(64, 64)),
        batch_size=64,
        steps=2000,
        eval_every=20,
        optimizer=SGD(lr=0.1),
    ),
    compare={"optimizer": {"SGD": SGD(lr=LR), "Momentum": SGD(lr=LR, momentum=MOMENTUM), **RIVALS}},
    search=Search(
        trials=16,
        searches=Searches(min=6, max=12),
        objective="valid/accuracy",
        reduce="mean",
    ),
    seeds=4,
    claims=[
        Claim.no_worse("Momentum", than=rival, margin=0.02, on="mean/valid/accuracy", id="beyond")
        for rival in ("SGD", *RIVALS)
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3, "recipe.steps": 500},
)

if __name__ == "__main__":
    study.main()
