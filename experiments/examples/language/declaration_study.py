"""Which optimizer trains a small language model of characters best? See README.md."""

from harness import GPT, AdamW, Claim, LinearDecay, LogUniform, Muon, Recipe, Search, Study, Text

study = Study(
    name="example-language",
    question="Does Muon train a small GPT on the Declaration of Independence better than AdamW?",
    recipe=Recipe(
        data=Text(path="declaration.txt", context=32),
        model=GPT(layers=2, width=32, heads=2),
        optimizer=AdamW(lr=1e-3),
        schedule=LinearDecay(),
        metrics=["bits_per_byte"],
        batch_size=16,
        epochs=20,
    ),
    compare={
        "optimizer": {
            "AdamW": AdamW(lr=LogUniform(1e-4, 1e-1), weight_decay=LogUniform(1e-3, 1.0)),
            "Muon": Muon(lr=LogUniform(1e-3, 1.0), adam_lr=LogUniform(1e-4, 1e-1)),
        },
    },
    # a text is split in time, and thus in one way: the searches share it
    search=Search(trials=16, searches=5, fixed=("split",), objective="valid/bits_per_byte"),
    seeds=3,
    claims=[Claim.better("Muon", than="AdamW", on="test/bits_per_byte")],
)

if __name__ == "__main__":
    study.main()
