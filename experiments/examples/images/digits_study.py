"""Which optimizer reads digits best, at small and at large batches? See README.md."""

from functools import partial

from net import SmallNet
from sign_momentum import SignMomentum

from harness import AdamW, Claim, Digits, InputNoise, LogUniform, Recipe, Search, Study

study = Study(
    name="example-digits",
    question="Does an optimizer of our own read digits better than AdamW, at two batch sizes?",
    recipe=Recipe(
        data=Digits(image=True),  # (1, 8, 8) in [0, 1]
        model=partial(SmallNet, width=8),
        optimizer=AdamW(lr=1e-3),
        regularizers=[InputNoise(std=0.1)],
        metrics=["f1"],
        batch_size=64,
        epochs=10,
    ),
    compare={
        "optimizer": {
            # decay of the weights alone: biases and batch normalization's factors are exempt
            "AdamW": AdamW(lr=LogUniform(1e-4, 1e-1), weight_decay=LogUniform(1e-4, 1e-1)),
            "SignMomentum": partial(SignMomentum, lr=LogUniform(1e-5, 1e-2)),
        },
        "batch_size": [32, 256],
    },
    search=Search(trials=16, searches=5, objective="valid/f1"),
    seeds=3,
    claims=[
        Claim.better("AdamW / 32", than="SignMomentum / 32", on="test/f1"),
        Claim.better("AdamW / 256", than="SignMomentum / 256", on="test/f1"),
        Claim.interaction("optimizer", "batch_size", on="test/f1"),
    ],
)

if __name__ == "__main__":
    study.main()
