"""A scaler that was fitted on the evaluation rows too."""

from treino.diagnosis.rule import Rule
from treino.diagnosis.rules.examples import HELD_OUT, SPLIT
from treino.words import N_

RULE = Rule(
    id="scaler_leakage",
    group="data",
    severity="wrong",
    certain=False,
    message=N_(
        "All {rows} evaluation rows are among the {fitted} rows that the scaler ({kind}) was fitted on."
    ),
    why=N_(
        "The scaling carries the evaluation rows' mean and spread into training, so that the figure is "
        "not one for unseen data. It is most wrong where rows are few or change over time."
    ),
    fix=N_("Split first; fit the scaler on the training rows only, and transform both parts with it."),
    safety="Safe: the figure falls a little, to what it is.",
    limits=(
        "Scalers of scikit-learn, averages and deviations that are worked out by hand over a whole "
        "table are known; other statistics are not."
    ),
    wrong="""\
from sklearn.preprocessing import StandardScaler
x = torch.tensor(StandardScaler().fit_transform(x.numpy() + 1))
"""
    + SPLIT
    + HELD_OUT,
    right="""\
from sklearn.preprocessing import StandardScaler
scaler = StandardScaler().fit(x[:180].numpy() + 1)
x = torch.tensor(scaler.transform(x.numpy() + 1))
"""
    + SPLIT
    + HELD_OUT,
)
