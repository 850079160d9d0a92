"""How fast do optimizers bring a GPT to a loss, each tuned? (beyond F9 and F10)

    python experiments/language_model.py --quick

The language is a Markov chain of 48 symbols: who knows how often each occurs has a loss of 3.785
nats a symbol, who looks one symbol back 2.000, the entropy rate. The target is 2.3. The claims are
the field's order: Muon, AdamW, Lion, signSGD. A batch is one sequence of 16 symbols, so that
gradients are noisy, which is what averages over updates are for; model, length and target were set
in a pilot with another master seed. In batches of 16 sequences, as this study had them before, the
last three were as fast as each other.
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
    Searches,
    SignSGD,
    Study,
    WarmUp,
)

TARGET = ("valid/loss", 2.3)
ADAPTIVE_LR = LogUniform(1e-3, 1e-1)
SIGN_LR = LogUniform(1e-4, 3e-2)

study = Study(
    name="language-model",
    question="In which order do tuned optimizers bring a GPT on a Markov language to a loss?",
    recipe=Recipe(
        data=Markov(
            symbols=48, order=1, concentration=0.1, context=16, samples=4000, valid_fraction=0.05
        ),
        model=GPT(layers=1, width=32, heads=4),
        batch_size=1,
        steps=1500,
        eval_every=20,
        optimizer=AdamW(lr=0.01),
        schedule=WarmUp(share=0.1, then="cosine"),
        metrics=["perplexity"],
    ),
    compare={
        "optimizer": {
            "Muon": Muon(lr=LogUniform(3e-3, 3e-1), adam_lr=ADAPTIVE_LR, beta2=0.99),
            "AdamW": AdamW(lr=ADAPTIVE_LR, beta2=0.99),
            "Lion": Lion(lr=SIGN_LR),
            "signSGD": SignSGD(lr=SIGN_LR),
        }
    },
    search=Search(
        trials=12, searches=Searches(min=8, max=20), objective="valid/loss", reduce="mean"
    ),
    seeds=3,
    claims=[
        Claim.faster("Muon", than="AdamW", to=TARGET, by="steps", id="beyond"),
        Claim.faster("AdamW", than="Lion", to=TARGET, by="steps", id="beyond"),
        Claim.faster("Lion", than="signSGD", to=TARGET, by="steps", id="beyond"),
    ],
    quick={"search.trials": 6, "search.searches": 1, "seeds": 3},
)

if __name__ == "__main__":
    study.main()
