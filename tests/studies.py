"""Small studies that tests run."""

from __future__ import annotations

import harness as h

SGD, ADAM = h.SGD(lr=h.LogUniform(1e-2, 1.0)), h.Adam(lr=h.LogUniform(1e-3, 1e-1))


def small(**fields):
    """Two tuned optimizers on digits: 6 + 6 search runs and 2 + 2 confirm runs."""
    base = {
        "name": "small",
        "question": "Which is better?",
        "recipe": h.Recipe(
            data="digits",
            model=h.MLP(widths=(16,)),
            batch_size=128,
            epochs=3,
            optimizer=h.SGD(lr=0.1),
        ),
        "compare": {"optimizer": {"SGD": SGD, "Adam": ADAM}},
        "search": h.Search(trials=6, batch=3),
        "seeds": 2,
        "claims": [h.Claim.better("Adam", than="SGD")],
    }
    return h.Study(**base | fields)
