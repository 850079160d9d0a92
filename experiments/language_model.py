"""How fast do optimizers bring a GPT to a loss, each tuned? (beyond F9 and F10)

    python experiments/language_model.py --quick

The language is a Markov chain of order 2: of the loss 1.424 nats a symbol that a model has which
looks one symbol back, looking two back leaves 0.940, the entropy rate. The target is half way. The
claims are the field's order: Muon, AdamW, Lion, signSGD. Model and length were set in a pilot of
single untuned runs, so that every arm reaches the target; there signSGD was as fast as AdamW.
"""

from harness import (
    GPT,
    AdamW,
    Claim,
    Lion,
    LogUniform,
    Markov,
    Muon,
    Recipe,
    Search,
    SignSGD,
    Study,
    WarmUp,
)

TARGET = ("valid/loss", 1.18)
ADAPTIVE_LR = LogUniform(1e-3, 1e-1)
SIGN_LR = LogUniform(3e-4, 3e-2)

study = Study(
    name="language-model",
    question="In which order do tuned optimizers bring a GPT on a Markov language to a loss?",
    recipe=Recipe(
        data=Markov(symbols=5, order=2, context=16, samples=4000, valid_fraction=0.05),
        model=GPT(layers=1, width=32, heads=4),
        batch_size=16,
        steps=300,
        eval_every=10,
        optimizer=AdamW(lr=0.01),
        schedule=WarmUp(share=0.1, then="cosine"),
        metrics=["perplexity"],
    ),
    compare={
        "optimizer": {
            "Muon": Muon(lr=LogUniform(3e-3, 3e-1), adam_lr=ADAPTIVE_LR, beta2=0.95),
            "AdamW": AdamW(lr=ADAPTIVE_LR, beta2=0.95),
            "Lion": Lion(lr=SIGN_LR),
            "signSGD": SignSGD(lr=SIGN_LR),
        }
    },
    search=Search(trials=12, searches=5, objective="valid/loss", reduce="mean"),
    seeds=4,
    claims=[
        Claim.faster("Muon", than="AdamW", to=TARGET, by="steps", id="beyond"),
        Claim.faster("AdamW", than="Lion", to=TARGET, by="steps", id="beyond"),
        Claim.faster("Lion", than="signSGD", to=TARGET, by="steps", id="beyond"),
    ],
    quick={"search.trials": 6, "search.searches": 1, "seeds": 3},
)

if __name__ == "__main__":
    study.main()
