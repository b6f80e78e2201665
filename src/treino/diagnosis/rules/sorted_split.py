"""A split by position of rows that are sorted by class."""

from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.words import N_

RULE = Rule(
    id="sorted_split",
    group="data",
    severity="wrong",
    certain=False,
    unless=("missing_zero_grad", "no_step", "grad_cleared_before_step", "detached_loss", "nan_inputs"),
    message=N_(
        "{unseen} of the evaluation rows {what}; {figure} {evaluation} there, {training} in training."
    ),
    why=N_(
        "The rows were sorted by class or by target when they were cut, so that the two parts differ. "
        "The figure measures nothing that the net could have learned."
    ),
    fix=N_("Shuffle before splitting, or use train_test_split(..., stratify=y)."),
    safety="Split at random, or by class (`stratify`): the figure becomes one of all classes.",
    limits=(
        "Needs labels in blocks, or rows of which the two parts differ; a split by time is meant and "
        "left alone where the labels are no classes."
    ),
    wrong="""\
x, y = x[y.argsort()], y.sort().values
x_train, y_train, x_test, y_test = x[:160], y[:160], x[160:], y[160:]
"""
    + HELD_OUT,
    right=SPLIT + HELD_OUT,
)
