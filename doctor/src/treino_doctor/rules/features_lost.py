"""Features that were prepared and that reach no network."""

import ast

from treino_doctor.base.words import N_, _
from treino_doctor.places.bindings import statement_of
from treino_doctor.places.placement import TENSORS
from treino_doctor.places.source import calls, module, name_of, targets, written_on
from treino_doctor.record.log import Backward, Ended
from treino_doctor.record.row_log import FeaturesLost, RowsTrained
from treino_doctor.rules.graphs import calls_by_number
from treino_doctor.rules.rule import HELD_OUT, SPLIT, Evidence, Faults, Log, Note, Rule, Site

APART = 10.0  # ratio of columns' deviations: a scale matters
ITSELF = 0.1  # times the largest number: if less enters the first product, the net scales its inputs itself
RESULTS, NAMES = ("transform", "fit_transform"), (ast.Name, ast.Attribute)
LEFT_OUT = N_("select_dtypes left out {columns} {columns:column|columns} of true and false from get_dummies")
UNSCALED = N_("{kind} scaled {rows} rows, and the network gets them as they were before")


def decide(log: Log) -> Faults:
    """The rows of all trainings are known, and none has these features, which nothing else that is known of
    used; a scale, if the columns need one and the net brings none of its own."""
    called, trained = calls_by_number(log), {t.net: t for t in log.of(RowsTrained)}
    behind = [{called[f].net if f in called else -1 for f in b.forwards} for b in log.of(Backward)]
    if any(not e.finished for e in log.of(Ended)) or not all(n and n <= trained.keys() for n in behind):
        return
    uneven = [t for t in trained.values() if t.spread >= APART and t.entering >= ITSELF * t.largest]
    for lost in log.of(FeaturesLost):
        if not lost.kind or uneven:
            numbers = {"columns": lost.columns, "rows": lost.rows, "kind": lost.kind}
            text = _(UNSCALED if lost.kind else LEFT_OUT)
            yield Evidence(lost.site, numbers | {"what": text.format(**numbers)})


def note(evidence: Evidence) -> Note | None:
    """A note on a scaler whose results the source reads otherwise: in a plot, or a model made by NumPy."""
    at, what = evidence.seen, {"what": evidence.numbers["what"]}
    if at is None or not evidence.numbers["kind"] or not _reads_results(at):
        return None
    return Note(N_("What was prepared at {place} reaches no network: {what}."), at, what)


def _reads_results(fit: Site) -> bool:
    """Whether a script may use what a scaler returns for anything but a tensor: in a plot, or by NumPy."""
    tree, own = module(fit.file), written_on(fit)
    owners = [getattr(c.func, "value", None) for c in calls(own, "fit", *RESULTS)]
    scaler = set(map(name_of, owners)).union(*map(targets, own))
    queue = list[tuple[str, ast.stmt]]()
    for c in calls(tree, *RESULTS):
        made = statement_of(fit.file, c)
        if made in own or name_of(getattr(c.func, "value", None)) in scaler:
            queue += [(name, made) for name in targets(made) or ("",)]
            if not targets(made) and not (isinstance(made, ast.Expr) and made.value is c):
                return True
    for name, made in queue:
        loads = (n for n in ast.walk(tree) if isinstance(n, NAMES) and isinstance(n.ctx, ast.Load))
        later = (n for n in loads if name_of(n) == name and n.lineno >= (made.end_lineno or 0))
        for reader in {statement_of(fit.file, n) for n in later} - {made}:
            if not targets(reader) or not calls(reader, *TENSORS):
                return True
            queue += {(one, reader) for one in targets(reader)} - {*queue}
    return not queue  # they are returned out of sight


RULE = Rule(
    group="data",
    message="What was prepared here reaches no network: {what}.",
    why="""The network learns without it. Since pandas 2.0 dummies are true or false, which select_dtypes
    does not count as numbers. A scaler returns new rows, and leaves those that it is given as they are.""",
    fix="""Make the dummies numbers (`get_dummies(..., dtype=float)`); make the tensors of what the scaler
    returned.""",
    safety="The weights of the first layer are other ones, and with scaled rows the best rate is, too.",
    limits="""Dummies are left alone where anything else takes them, as an array or one by one, or they tell
    the label; a scaled table where scikit-learn reads it, rows were left out, columns differ little in size,
    or the network scales its inputs itself; it is noted where the script makes more than tensors of it.
    Columns that are scaled by hand, or overwritten, are not followed.""",
    wrong="""\
from sklearn.preprocessing import StandardScaler
x = x * torch.logspace(0, 3, 8)
scaler = StandardScaler().fit(x[:180].numpy())
scaled = torch.tensor(scaler.transform(x.numpy()))
"""
    + SPLIT
    + HELD_OUT,
    mend={"scaled = torch": "x = torch"},
)
