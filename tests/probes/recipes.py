"""Recipes that the tests of probes train, and tables of what they record."""

import harness as h

MODELS = {
    "mlp": {"model": h.MLP(widths=(12, 9))},
    "deep": {"model": h.MLP(widths=(6, 6, 6), activation="tanh", residual=True, dropout=0.2)},
    "batch norm": {"model": h.MLP(widths=(10, 10), norm="batch")},
    "cnn": {"model": h.CNN1D(channels=5), "data": "mnist1d"},
    "transformer": {"model": h.Transformer(width=8, heads=2, depth=1)},
}


def recipe(model="mlp", **fields):
    base = {
        "data": h.Digits(train_size=200),
        "batch_size": 50,
        "steps": 9,
        "eval_every": 3,
        "dtype": "float64",
        "optimizer": h.SGD(lr=0.05, momentum=0.9),
    }
    return h.Recipe(
        **base | (MODELS[model] if isinstance(model, str) else {"model": model}) | fields
    )


def every(*names, stride=2):
    return [{"name": name, "every": stride, "unit": "steps"} for name in names]


def table(trained, prefix):
    columns = [c for c in trained.curves if c.startswith(f"{prefix}/")]
    return trained.curves.dropna(subset=columns[:1]).set_index(["seed", "step"])[columns]
