"""Copies of rows on both sides of a split."""

from collections.abc import Iterable

from treino.diagnosis.faults.rule import Evidence, Rule
from treino.diagnosis.faults.shares import copies, shared
from treino.diagnosis.finding import Site
from treino.diagnosis.record.log import Log
from treino.diagnosis.record.row_log import RowsEvaluated, RowsTrained
from treino.diagnosis.rules.duplicate_leakage import RULE as WORDS
from treino.diagnosis.where.edit import maker
from treino.diagnosis.where.kinds import multiplies
from treino.words import N_, _

TRAINED = N_("were trained on before they were evaluated (the table holds copies)")
NEAR = N_("are nearly one with training rows (the table holds copies)")
WINDOWS = N_("hold at least half of a training row: windows of one series, which overlap")
SHARE = {"near": 0.3, "windows": 0.8}  # of the rows that were measured


def decide(log: Log) -> Iterable[Evidence]:
    """Rows of an evaluation had been trained on, and the table holds copies, more than chance allows; or many
    lie far nearer to training rows than rows usually do, or are windows that overlap with theirs.
    """
    trains = {t.net: t for t in log.of(RowsTrained)}
    for e in log.of(RowsEvaluated):
        t = trains.get(e.learner)
        if t is None:
            continue
        trained, rows = shared(e, t)
        sites = {"loader": e.loader, "split": e.cut, "train": t.site, "train_loader": t.loader}
        if trained and copies(e, t):
            numbers = {"rows": rows, "trained": trained, "share": trained / rows, "what": _(TRAINED)}
            yield Evidence(e.site, numbers, at=e.cut, stack=e.stack, sites=sites)
            return
        few = not e.mixed and e.trained < e.rows and e.shuffled and e.part > 0 and not t.made
        if few and e.measure and e.near > SHARE[e.measure] * e.near_of:
            words = NEAR if e.measure == "near" else WINDOWS
            numbers = {"rows": e.near_of, "trained": e.near, "share": e.near / e.near_of, "what": _(words)}
            yield Evidence(e.site, numbers, at=e.cut, stack=e.stack, sites=sites)
            return


def place(evidence: Evidence) -> Site | None:
    """Where rows became more, beside the split; or else the split."""
    split = evidence.sites["split"]
    made = maker(evidence.seen, multiplies, evidence.sites["loader"], evidence.stack)
    beside = made is not None and (split is None or made.function == split.function)
    return made if beside else split


RULE = Rule(WORDS, decide, place)
