"""A scaler or an imputer that was fitted on evaluation rows."""

from treino_doctor.base.words import N_, _
from treino_doctor.places.placement import maker, scales
from treino_doctor.record.row_log import RowsEvaluated, RowsFitted
from treino_doctor.rules.rule import HELD_OUT, SPLIT, Evidence, Faults, Log, Rule

ALL = 0.98  # share of the rows
LEAST = 10  # minimum number of rows of an evaluation
WAYS = {"standard": N_("mean and deviation"), "minmax": N_("smallest and largest value")}


def decide(log: Log) -> Faults:
    """One fit on all rows produced both the training and the evaluation rows; or each had its own fit."""
    judged = [e for e in log.of(RowsEvaluated) if e.rows >= LEAST and not e.made and not e.predicted]
    held_out = [e for e in judged if 2 * e.trained < e.rows]
    for f in log.of(RowsFitted):
        same = [g for g in log.of(RowsFitted) if (g.site, g.kind, g.net) == (f.site, f.kind, f.net)]
        covered = {(g.at, g.stack) for g in same if g.evaluated >= ALL}
        fitted_on_all = not f.apart and f.trained >= ALL and f.fitted > f.rows
        if not f.again and any(e.learner == f.net and (e.site, e.stack) not in covered for e in held_out):
            continue  # it was fitted on a training part that was split again
        if f.evaluated >= ALL and f.rows >= LEAST and (fitted_on_all or f.again):
            numbers = {"rows": f.rows, "fitted": f.fitted, "kind": f.kind}
            numbers["way"] = _(WAYS[f.kind]) if f.kind in WAYS else f.kind
            yield Evidence(f.at, numbers, at=f.site, stack=f.stack, sites={"loader": f.loader})
            return


RULE = Rule(
    group="data",
    certain=False,
    place=lambda e: e.at or maker(e.seen, scales, e.sites["loader"], e.stack),  # the fit, or what scales
    message="""All {rows} evaluation rows are among the {fitted} rows on which a scale or the filling of gaps
    ({way}) rests.""",
    why="""It uses the evaluation rows' own mean and spread, which a single new row does not have, so that the
    figure is not one for unseen data. It is most wrong where rows are few or change over time.""",
    fix="""After the split, fit the scaler or fill gaps by the training rows only, and use that for both
    parts.""",
    safety="Safe: the figure falls to what it is.",
    limits="""Seen are scikit-learn's scalers and imputers; means and deviations that a program computes
    itself over a whole table or some of its columns; and gaps that pandas' `fillna` fills with a column's
    mean or median, if the column has 20 numbers or more and reaches the net as it is or scaled. Not seen are
    windows of a scaled series, and a choice of columns by their relation to the labels. Left alone are tables
    that scikit-learn gives already scaled; a scaler that was fitted on one part of a split, or on what an
    estimator's `fit` was given, even if some of these rows validate later; and rows whose labels were never
    seen and whose answers pandas wrote to a file.""",
    wrong="""\
from sklearn.preprocessing import StandardScaler
x = torch.tensor(StandardScaler().fit_transform(x.numpy() + 1))
"""
    + SPLIT
    + HELD_OUT,
    mend={
        "x = torch": "scaler = StandardScaler().fit(x[:180].numpy() + 1)\nx = torch",
        "StandardScaler().fit_transform": "scaler.transform",
    },
)
