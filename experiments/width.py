"""Double descent: does test loss fall, rise and fall again with width? (beyond F14 and F15)

    python experiments/width.py --quick

One hidden layer on 400 samples of MNIST-1D, a fifth of their labels replaced by random ones,
trained for long without any regularization (Belkin et al. 2019; Nakkiran et al. 2020). With 10
classes the weights match the data at about 80 units.
"""

from harness import MLP, MNIST1D, MSE, SGD, Claim, Recipe, Study

WIDTHS = (4, 8, 16, 32, 64, 128, 256, 1024)

study = Study(
    name="width",
    question="Does the test loss fall, rise and fall again as a network gets wider?",
    recipe=Recipe(
        data=MNIST1D(train_size=400, label_noise=0.2),
        model=MLP(),
        loss=MSE(),
        batch_size=50,
        epochs=1000,
        optimizer=SGD(lr=0.1, momentum=0.9),
    ),
    compare={"width": {str(width): {"model.widths": (width,)} for width in WIDTHS}},
    seeds=10,
    metric="test/loss",
    claims=[
        Claim.better("8", than="64", id="beyond"),
        Claim.better("1024", than="64", id="beyond"),
        Claim.better("1024", than="8", id="beyond"),
        Claim.trend("width", on="train/loss", rising=False, id="beyond"),
    ],
    quick={"seeds": 3, "recipe.epochs": 100},
)

if __name__ == "__main__":
    study.main()
