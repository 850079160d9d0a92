"""How noisy is the gradient of a batch, and how many steps does a larger batch save? (F12)

    python experiments/f12_batch_noise.py --quick

The gradient noise scale (McCandlish et al. 2018) is measured while training, as the mean variance
over the mean signal of a run: each is unbiased, their ratio is not. Far below it, twice
the batch halves the steps to a target; far above it, it saves nothing. Every batch size has its own
tuned learning rate; all see the same samples.
"""

from harness import MLP, SGD, Claim, LogUniform, NoiseScale, Recipe, Search, Study

SIZES = (16, 32, 64, 128, 256, 512)
TARGET = ("valid/accuracy", 0.5)
SPEED = {"on": TARGET[0], "target": TARGET[1], "id": "F12"}

study = Study(
    name="f12-batch-noise",
    question="How many steps does a larger batch save, "
    "and does the gradient noise scale foretell it?",
    recipe=Recipe(
        data="mnist1d",
        model=MLP(widths=(64, 64)),
        samples=128_000,
        eval_every=1024,
        optimizer=SGD(lr=LogUniform(1e-3, 3.0), momentum=0.9),
    ),
    compare={"batch_size": {f"batch {size}": size for size in SIZES}},
    search=Search(trials=16, searches=10, objective="valid/accuracy", reduce="mean"),
    seeds=5,
    probes=[NoiseScale(small=8, large=256)],
    claims=[
        Claim.trend("batch_size", by="steps", rising=False, **SPEED),
        Claim.trend("batch_size", by="samples", rising=True, **SPEED),
        Claim.above("batch 64", 16, on="mean/noise/scale", id="F12"),
        Claim.trend("batch_size", on="mean/batch/noise", rising=False, id="F12"),
        Claim.no_worse("batch 16", than="batch 512", margin=0.02, on="test/accuracy", id="F12"),
    ],
    quick={"search.trials": 4, "search.searches": 1, "seeds": 3, "recipe.samples": 32_000},
)

if __name__ == "__main__":
    study.main()
