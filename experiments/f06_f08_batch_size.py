"""The whole set (F6), one sample (F7) or a mini-batch (F8) for every update?

    python experiments/f06_f08_batch_size.py --quick

Every batch size sees the same number of samples, so it computes as many gradients of single
samples; smaller batches make more updates of them. Momentum is 0.9 throughout, the learning rate is
tuned for every batch size on its own, for the mean validation accuracy over training, since the
claims are about speed. Seconds are steps times the calibrated clock. How noisy a batch size is by
itself shows at equal weights and equal rates alone: before the first update, which all sizes start
from, the jump of the whole training loss by one plain step of 0.1 down the gradient of a fresh
batch, its deviation over 32 batches.
"""

from harness import MLP, SGD, Claim, LogUniform, LossJump, Recipe, Search, Study

SIZES = (1, 16, 32, 64, 128, 256, 512, "full")
TARGET, JUMP = ("valid/accuracy", 0.9), "initial/jump/loss"

study = Study(
    name="f06-f08-batch-size",
    question="The whole data set, one sample or a mini-batch: "
    "which learns digits with the least work?",
    recipe=Recipe(
        data="digits",
        model=MLP(widths=(64,)),
        samples=23_000,
        eval_every=230,
        optimizer=SGD(lr=LogUniform(1e-4, 3.0), momentum=0.9),
    ),
    compare={"batch_size": {f"batch {size}": size for size in SIZES}},
    search=Search(trials=16, searches=16, objective="valid/accuracy", reduce="mean"),
    seeds=5,
    probes=[LossJump(every="ends")],
    claims=[
        Claim.better("batch full", than="batch 1", on=JUMP, id="F6"),
        Claim.faster("batch full", than="batch 32", to=TARGET, by="steps", id="F6"),
        Claim.faster("batch 32", than="batch full", to=TARGET, by="samples", id="F6"),
        Claim.monotone("batch_size", on=JUMP, rising=False, id="F7"),
        Claim.faster("batch 1", than="batch full", to=TARGET, by="samples", id="F7"),
        Claim.faster("batch full", than="batch 1", to=TARGET, by="seconds", id="F7"),
        Claim.faster("batch 32", than="batch 1", to=TARGET, by="seconds", id="F8"),
        Claim.faster("batch 32", than="batch full", to=TARGET, by="seconds", id="F8"),
        Claim.better("batch 32", than="batch full", on="test/accuracy", id="F8"),
        Claim.no_worse("batch 32", than="batch 1", margin=0.01, on="test/accuracy", id="F8"),
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3},
)

if __name__ == "__main__":
    study.main()
