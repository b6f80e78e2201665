"""Test rows that the net was trained on."""

from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.words import N_

RULE = Rule(
    id="test_in_train",
    group="data",
    severity="wrong",
    certain=False,
    unless=("train_mode_never_restored",),  # what trains in eval mode looks like an evaluation
    message=N_("{trained} of {rows} evaluation rows were trained on before they were evaluated."),
    why=N_(
        "The net has seen the answers, so that the figure shows how well it remembers, not how well it "
        "does on new rows."
    ),
    fix=N_("Train on the training part only; make sure that the two parts share no row."),
    safety="Safe: the figure falls to what it is.",
    limits=(
        "Rows are compared by their numbers in a data set and by hashes; rows that are changed at "
        "random in between are known by their numbers alone."
    ),
    wrong="""\
x_train, y_train, x_test, y_test = x, y, x[180:], y[180:]
"""
    + HELD_OUT,
    right=SPLIT + HELD_OUT,
)
