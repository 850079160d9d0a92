"""Does the best learning rate stay where it is when a network gets wider? (beyond F11)

    python experiments/mup.py --quick

An MLP on MNIST-1D at 64 and at 1024 units a layer, with Adam at fixed rates a factor of 2 apart, in
the standard parametrization and in muP (Yang et al. 2022). At 64 units the two are one. The middle
rate, 0.022, is the best one there in runs of other seeds, made before the claims were written.
"""

from harness import MLP, Adam, Claim, LinearDecay, Recipe, Study

RATES = (0.0055, 0.011, 0.022, 0.044, 0.088)
NARROW, WIDE = 64, 1024


def arm(parametrization: str, width: int, rate: float) -> str:
    """Return the name of an arm."""
    return f"{parametrization} / {width} / {rate}"


def neighbours(parametrization: str, width: int) -> list[Claim]:
    """Return claims that the best rate is less than a factor of 2 away: no neighbour gains."""
    return [
        Claim.no_worse(
            arm(parametrization, width, 0.022),
            than=arm(parametrization, width, other),
            margin=0.03,
            id="beyond",
        )
        for other in (0.011, 0.044)
    ]


study = Study(
    name="mup",
    question="Does the best learning rate stay where it is when a network gets 16 times as wide?",
    recipe=Recipe(
        data="mnist1d",
        model=MLP(widths=(NARROW, NARROW)),
        batch_size=64,
        steps=150,
        eval_every=50,
        optimizer=Adam(lr=0.022),
        schedule=LinearDecay(),
        base_width=NARROW,
    ),
    compare={
        "parametrization": ["standard", "mup"],
        "width": {str(width): {"model.widths": (width, width)} for width in (NARROW, WIDE)},
        "rate": {str(rate): {"optimizer.lr": rate} for rate in RATES},
    },
    seeds=6,
    metric="test/loss",
    claims=[
        *neighbours("standard", NARROW),
        *neighbours("mup", WIDE),
        # in the standard parametrization it moves by a factor of 4 and more
        Claim.better(arm("standard", WIDE, 0.0055), than=arm("standard", WIDE, 0.011), id="beyond"),
        Claim.better(
            arm("standard", WIDE, 0.0055),
            than=arm("standard", WIDE, 0.022),
            margin=0.1,
            id="beyond",
        ),
    ],
    quick={"seeds": 3, "recipe.steps": 50, "recipe.eval_every": 25},
)

if __name__ == "__main__":
    study.main()
