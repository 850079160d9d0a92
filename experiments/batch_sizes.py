"""How does the batch size change learning at equal epochs, each with its own learning rate? (F6–F8, F12)

    python experiments/batch_sizes.py --quick

One sample, mini-batches and the whole training set see the same number of samples; smaller batches make more updates of
them. Momentum is 0.9 throughout; the learning rate is tuned for every batch size on its own.
"""

from harness import MLP, SGD, Claim, LogUniform, Recipe, Search, Study

study = Study(
    name="batch-sizes",
    question="How does the batch size change what an MLP learns on digits in equal epochs, each with its own learning rate?",
    recipe=Recipe(data="digits", model=MLP(widths=(64,)), epochs=20, optimizer=SGD(lr=LogUniform(1e-3, 3.0), momentum=0.9)),
    compare={"batch_size": {f"batch {size}": size for size in (1, 16, 32, 64, 128, 256, 512, "full")}},
    search=Search(trials=16, objective="valid/loss"),
    seeds=10,
    claims=[
        Claim.better("batch 32", than="batch full", on="test/accuracy"),
        Claim.better("batch 32", than="batch 1", on="test/accuracy"),
        Claim.faster("batch full", than="batch 32", to=("valid/accuracy", 0.9), by="steps"),
        Claim.faster("batch 32", than="batch full", to=("valid/accuracy", 0.9), by="samples"),
    ],
    quick={"search.trials": 6, "seeds": 3, "recipe.epochs": 10},
)

if __name__ == "__main__":
    study.main()
