"""Three optimizers and two batch sizes on digits, tuned, five seeds: with the harness."""

from harness import MLP, SGD, Adam, Claim, LogUniform, Recipe, Search, Study

study = Study(
    name="peers",
    question="Which optimizer is best on digits, and does the batch size matter?",
    recipe=Recipe(data="digits", model=MLP(widths=(64, 64)), epochs=5, optimizer=SGD(lr=0.1)),
    compare={
        "optimizer": {
            "SGD": SGD(lr=LogUniform(1e-2, 1.0)),
            "momentum": SGD(lr=LogUniform(1e-3, 1e-1), momentum=0.9),
            "Adam": Adam(lr=LogUniform(1e-4, 1e-2)),
        },
        "batch_size": {"32": 32, "128": 128},
    },
    search=Search(trials=5, objective="valid/loss"),
    seeds=5,
    claims=[Claim.better("Adam / 32", than="SGD / 32", on="test/accuracy")],
)

if __name__ == "__main__":
    study.main()
