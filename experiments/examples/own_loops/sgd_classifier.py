"""scikit-learn's SGDClassifier, a pass of ``partial_fit`` at a time."""

from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split


def train(run):
    """Train for run.epochs passes; the test part is the same in every run."""
    x, y = load_digits(return_X_y=True)
    x, test_x, y, test_y = train_test_split(x / 16, y, test_size=0.2, random_state=0)
    x, valid_x, y, valid_y = train_test_split(x, y, test_size=0.2, random_state=run.split)
    model = SGDClassifier(
        loss="log_loss",
        penalty=run.config["penalty"],
        alpha=run.config["alpha"],
        learning_rate="constant",
        eta0=run.config["lr"],
        random_state=run.seed,
    )
    for epoch in range(1, run.epochs + 1):
        model.partial_fit(x, y, classes=range(10))
        loss = log_loss(valid_y, model.predict_proba(valid_x))
        run.log(epoch, valid_loss=loss, valid_accuracy=model.score(valid_x, valid_y))
        if run.should_stop():
            break
    if run.confirming:
        loss = log_loss(test_y, model.predict_proba(test_x))
        run.test(loss=loss, accuracy=model.score(test_x, test_y))
