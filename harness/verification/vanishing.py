"""How gradients and activations scale with depth at the start (Glorot & Bengio 2010; He 2015)."""

from __future__ import annotations

from functools import partial

import harness as h
from harness.spec.component import Component
from harness.verification.row import Row, RowGroup, at_least, at_most, within

LAYERS = 30


def _ratio(metric: str, **fields: object) -> float:
    """Return first over last gradient norm of 30 sigmoid layers of 256, by Xavier's weights."""
    options = {"activation": "sigmoid", "bias": False, **fields}
    recipe = h.Recipe(
        data=h.TeacherStudent(features=256),
        model=h.Model.parse({"name": "MLP", "widths": (256,) * LAYERS, **options}),
        init=h.Xavier(distribution="normal"),
        optimizer=h.SGD(lr=1e-3),
        batch_size=64,
        steps=1,
        eval_every=1,
        dtype="float64",
    )
    start = h.train(recipe, probes=[h.GradientNorm()]).curves.iloc[0]
    return float(start[f"gradient/{metric}"])


def _scaling(init: Component) -> float:
    """Return the factor a ReLU layer has on the mean square activation, over seeds and depth."""
    recipe = h.Recipe(
        data=h.MNIST1D(),
        model=h.MLP(widths=(256,) * 11),
        init=init,
        optimizer=h.SGD(lr=1e-3),
        batch_size=64,
        steps=1,
        eval_every=1,
        dtype="float64",
    )
    curves = h.train(recipe, seeds=8, probes=[h.Activations()]).curves
    ratio = curves.groupby("seed")["activation/ratio"].first()
    return float((ratio**2).mean() ** (1 / 10))


VANISHING = RowGroup(
    "vanishing",
    "Vanishing gradients: first to last gradient norm of 30 sigmoid layers",
    "Glorot & Bengio 2010; He et al. 2015, 2016; the bound 0.25²⁹ of the sigmoid's slope",
    (
        Row("plain", at_most(1e-15), partial(_ratio, "ratio")),
        Row("with batch normalization", at_least(0.1), partial(_ratio, "ratio", norm="batch")),
        # the first layer takes the inputs and has no skip around it
        Row("plain, from the second layer on", at_most(1e-15), partial(_ratio, "hidden_ratio")),
        Row(
            "with residual connections, from the second layer on",
            at_least(0.1),
            partial(_ratio, "hidden_ratio", residual=True),
        ),
        Row(
            "Xavier's factor on a ReLU layer's mean square",
            within(0.5, share=0.05),
            partial(_scaling, h.Xavier()),
        ),
        Row(
            "He's factor on a ReLU layer's mean square",
            within(1.0, share=0.05),
            partial(_scaling, h.He()),
        ),
    ),
)
