"""Copies of rows on both sides of a split."""

from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.words import N_

RULE = Rule(
    id="duplicate_leakage",
    group="data",
    severity="wrong",
    certain=False,
    unless=("test_in_train",),
    message=N_("{trained} of {rows} evaluation rows {what}."),
    why=N_(
        "The same row lies on both sides of the split, so that the net is asked what it was told. "
        "Oversampling or joining tables before splitting does this, and so does a random split of rows that "
        "belong together; the figure is too good."
    ),
    fix=N_(
        "Drop duplicates before splitting, and oversample the training part only; split what belongs "
        "together by its group, and a series by its time."
    ),
    safety="Splitting by groups leaves fewer or other rows for the test: the figure falls to what it is.",
    limits="Copies are found by hashes of rows, near ones by distances among a sample.",
    wrong="""\
x, y = torch.cat([x, x[:120]]), torch.cat([y, y[:120]])
order = torch.randperm(360)
train, test = order[:270], order[270:]
x_train, y_train, x_test, y_test = x[train], y[train], x[test], y[test]
"""
    + HELD_OUT,
    right=SPLIT + HELD_OUT,
)
