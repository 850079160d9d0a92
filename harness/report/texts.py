"""What each figure shows, how it is read, and what would be a sign of trouble."""

from __future__ import annotations

from typing import NamedTuple

from harness.analysis.budget import Budget


class Text(NamedTuple):
    """The words around a figure."""

    title: str
    shows: str
    trouble: str = ""
    """What would be a sign of trouble."""


RANKING = Text(
    "Closing value of each arm",
    "Each row is an arm with its tuned recipe frozen; the large mark is the mean over fresh seeds, the bar its 95 % "
    "interval (Student's t), the small marks single seeds. Overlapping bars do not by themselves mean equal: the "
    "table's p is paired by seed.",
    "One seed far from its fellows: look for its row among the runs.",
)
CRITICAL = Text(
    "Mean rank over seeds",
    "Each seed ranks the arms; the mark is an arm's mean rank. A grey bar joins arms whose mean ranks are closer than the "
    "critical difference (Nemenyi 1963; Demšar 2006): they are not told apart. It is more cautious than the paired tests of "
    "the table.",
    "One bar over all arms: more seeds are needed for any ranking.",
)
IMPROVEMENT = Text(
    "Who beats whom, and how often",
    "How often a run of the row's arm is better than a run of the column's, over all pairs of runs (Mann & Whitney 1947; "
    "Agarwal et al. 2021). 100 %: always; 50 %: a coin.",
    "An arm with the better mean that wins less than half of its pairs: a few runs make its mean.",
)
PROFILE = Text(
    "Runs at least so good",
    "For each value, the share of an arm's runs that are at least so good, better values to the right (Dolan & Moré 2002; "
    "Agarwal et al. 2021). The higher the staircase the better the arm; one that ends below 100 % has runs that diverged.",
    "Staircases that cross: which arm is better depends on whether you need a good run or a safe one.",
)
INTERACTION = Text(
    "Interaction of factors",
    "Mean over seeds, and over all further factors, with 95 % intervals. Parallel lines: the factors work by themselves.",
    "Lines that cross: the best level of one factor depends on the other, and neither can be recommended alone.",
)
CURVES = Text(
    "{} over training",
    "Solid: held-out (validation) data; dotted: an equal number of training samples. Shaded: 95 % interval over seeds of "
    "the mean (Student), the median (order statistics) or the interquartile mean (Tukey & McLaughlin), as far as all "
    "of an arm's seeds go. Arms are switched on and off above; zooming one of these figures zooms the others.",
    "A gap that opens between dotted and solid is overfitting; a curve that still falls at the end was trained too short; a "
    "band that widens has seeds that part.",
)
GAP = Text(
    "Generalization gap",
    "Held-out minus training loss, mean over seeds with its 95 % interval.",
    "A gap that goes on growing while training goes on: stop earlier or regularize more.",
)
LAYERS = Text(
    "{} by layer",
    "Every layer over training, mean over seeds, of the logarithm to base 10 where all is above 0; all arms share the "
    "colours' scale.",
    "A map that fades from the output (bottom) towards the input (top) is a signal that vanishes on its way; one that "
    "brightens, one that explodes.",
)
NOISE = Text(
    "Noise scale against batch size",
    "Each mark is an arm: its batch size, and the gradient noise scale (McCandlish et al. 2018) over the second half of "
    "training, median and range over seeds. On the dashed line noise and signal of a batch are equal.",
    "Far below the line a larger batch would hardly help; far above it, steps are mostly noise and a larger batch would.",
)
CONFUSION = Text(
    "Classes taken for others",
    "Held-out samples of each true class (rows) by the class they were taken for (columns), over all seeds, at the last "
    "measurement. A perfect arm has a dark diagonal.",
    "A dark column: the arm answers with that class too often.",
)
RELIABILITY = Text(
    "Confidence against accuracy",
    "Held-out samples in bins of confidence, over all seeds; larger marks are bins with more samples. On the dashed line "
    "the classifier is as often right as it believes (Guo et al. 2017).",
    "Marks below the line: too sure of itself; above it: not sure enough.",
)
LINES = Text(
    "Loss on the way from the initial to the final weights",
    "Training loss on the straight line through the initial (0) and the final weights (1), by seed and on average "
    "(Goodfellow et al. 2015).",
    "A bump between 0 and 1: training went around a barrier.",
)
PLANES = Text(
    "Loss around the final weights",
    "Training loss over two random directions whose filters are as long as the weights' own (Li et al. 2018), first seed.",
    "Lines close to each other around the middle: a sharp minimum; a middle that is not the lowest place: not converged.",
)
SENSITIVITY = Text(
    "Objective against each hyperparameter searched",
    "A mark is a trial; hollow ones were pruned early, diverged ones are left out. The table below says where the trials "
    "within 10 % of an arm's best lie.",
    "A best value at the edge of a space: it is too small for that arm. A narrow range: the arm needs careful tuning.",
)
PARALLEL = Text(
    "All hyperparameters of a trial together",
    "A line is a trial: the stronger its colour the better its objective, and the thick one is the best. The menu "
    "chooses the arm. Good trials that spread over a whole axis say that its hyperparameter hardly matters.",
)
PAIRS = Text(
    "Objective over two hyperparameters",
    "Marks are trials; the colours between them are means weighted by inverse squared distance (Shepard 1968), a guide for "
    "the eye and not a model.",
    "A slanted valley: the two can't be tuned one after the other.",
)
IMPORTANCE = Text(
    "Which hyperparameters mattered",
    "Share of each hyperparameter in reaching the better trials (PED-ANOVA, Watanabe et al. 2023), within each arm.",
    "With few trials these shares are rough.",
)
SURVIVAL = Text(
    "Runs on their way to {} {:g}, by {}",
    "Share of an arm's runs that have not reached the target yet, with 95 % intervals (Kaplan & Meier 1958). The sooner a "
    "staircase falls to 0 the faster the arm.",
    "A staircase that ends above 0 has runs that never arrived, which are censored there.",
)


def budget_text(budget: Budget) -> Text:
    """Return the words around the figure of tuning budgets."""
    turns = [f"from {n} trials on {arm} leads" for n, arm in budget.changes]
    lead = f"With one trial {budget.leaders[0]} leads" + (
        f"; {'; '.join(turns)}." if turns else ", and so it stays."
    )
    exact = (
        "Exact, since trials were independent."
        if budget.exact
        else "Only a description, since later trials learn from earlier."
    )
    return Text(
        "Winner by tuning budget",
        "Validation objective to be expected of the best of n trials (Dodge et al. 2019), with bootstrap intervals. "
        f"{lead} {exact}",
        "Curves that still move at the right end: more trials would change the answer.",
    )
