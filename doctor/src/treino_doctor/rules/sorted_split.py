"""A split by position of rows sorted by class."""

import ast
import math

from treino_doctor.base.words import _, joined, numeral
from treino_doctor.places.placement import SPLITS, cuts, maker
from treino_doctor.places.source import calls, written_on
from treino_doctor.record.row_log import Blocks, RowsTrained
from treino_doctor.rules.rule import HELD_OUT, NEVER_LEARNS, SPLIT, Evidence, Faults, Log, Rule, Site
from treino_doctor.rules.shares import HALF, copies, evaluations

LEAST = 10  # minimum number of rows of an evaluation
UNSEEN = 0.2  # share of its rows whose classes training never saw
SHIFT = 0.5  # half the sum of absolute differences between the classes' shares
WORSE = 0.75  # times training's accuracy
LOST = 0.5  # the same, if only the shares of classes differ
MANY = 50  # maximum number of classes
FEW = 0.05  # share of the rows by which two counts may differ
NEVER = 1e-6  # chance that rows drawn at random are all of one class
NEW = 0.1  # maximum share trained on before, for rows to count as new; HALF if the table holds equal rows
JUDGED, FAILS = 20, 0.5  # training predictions; accuracy, if training's is unknown. All are chosen


def decide(log: Log) -> Faults:
    """The evaluation rows have classes that training never saw, or in very different shares; and either the
    labels were sorted class by class when they were split, or the evaluation fails."""
    every = {k for t in log.of(RowsTrained) for k in t.labels}
    of_new = [(e, t) for e, t in evaluations(log) if e.trained <= (HALF if copies(e, t) else NEW) * e.rows]
    judged = {t.net: {k for e, own in of_new if own is t for k in e.labels} for _e, t in of_new}
    blocks = log.of(Blocks)
    for e, t in of_new:
        if e.rows < LEAST or not 0 < len(t.labels) <= MANY:
            continue
        learned_on = next((b for b in blocks if _same(b.labels, t.labels)), None)
        labels = e.labels or _others(blocks, e.rows, t.labels)
        if not labels or len(labels) > MANY or e.looks[-1] <= t.first:
            continue
        in_order = learned_on is not None or (e.how == "numbers" and not e.shuffled)
        unseen, moved = _apart(t.labels, labels)
        unseen = unseen if not every >= set(labels) else 0.0
        right = e.right / e.judged if e.judged else math.nan
        learned = t.right / t.judged if t.judged >= JUDGED else math.nan
        fails = right < WORSE * learned or (math.isnan(learned) and right < FAILS)
        moved_and_lost = moved > SHIFT and (in_order or right < LOST * learned)
        by_chance = (t.labels.get(next(iter(labels)), 0) / sum(t.labels.values())) ** e.rows
        known = sum(e.labels.values()) >= (1 - FEW) * e.rows
        single = known and len(judged[t.net]) == len(e.labels) == 1 < len(t.labels) and by_chance < NEVER
        if single or (unseen > UNSEEN and (fails or in_order)) or moved_and_lost:
            at = e.cut or (learned_on.site if learned_on is not None else None)
            numbers = {"unseen": numeral(max(unseen, moved), ".0%"), "shift": moved}
            numbers |= {"figures": _figures(right, learned)}
            numbers["what"] = _("are of classes that training saw less or never")
            if single:
                numbers |= {"unseen": "100 %", "what": _("are of one class, of several in training")}
            yield Evidence(e.site, numbers, at=at, stack=e.stack, sites={"loader": e.loader})
            return


def _apart(known: dict[str, int], others: dict[str, int]) -> tuple[float, float]:
    """(share of other rows whose classes the first part lacks, how far the shares of classes differ)."""
    total, all_known = sum(others.values()), sum(known.values())
    unseen = sum(n for k, n in others.items() if k not in known) / total
    keys = known.keys() | others.keys()
    return unseen, sum(abs(known.get(k, 0) / all_known - others.get(k, 0) / total) for k in keys) / 2


def _same(one: dict[str, int], other: dict[str, int]) -> bool:
    """Whether two label counts are the same up to a few rows, since equal rows are counted once."""
    return one.keys() == other.keys() and all(abs(one[k] - other[k]) <= FEW * one[k] for k in one)


def _others(blocks: list[Blocks], rows: int, known: dict[str, int]) -> dict[str, int]:
    """The sorted labels that match an evaluation by their number, if its own labels are unknown."""
    fit = (b.labels for b in blocks if abs(sum(b.labels.values()) - rows) <= FEW * rows)
    return next((labels for labels in fit if not _same(labels, known)), {})


def _figures(right: float, learned: float) -> str:
    """A sentence on the known ones of the accuracies in evaluation and in training, after a space."""
    if math.isnan(right):
        return ""
    if math.isnan(learned):
        return joined(["", _("Accuracy is {right:.0%} there.").format(right=right)], " ")
    text = _("Accuracy is {right:.0%} there, {learned:.0%} in training.")
    return joined(["", text.format(right=right, learned=learned)], " ")


def place(evidence: Evidence) -> Site | None:
    """The line that split the rows."""
    if any(map(_parts, written_on(evidence.at))):
        return evidence.at
    loader, led = evidence.sites["loader"], evidence.stack
    near = maker(evidence.at, _parts) if evidence.at is not None else None
    return near or maker(evidence.seen, _parts, loader, led) or evidence.at


def _parts(value: ast.AST) -> bool:
    """Whether an expression splits rows by position, itself or by a function."""
    return cuts(value) or bool(calls(value, *SPLITS))


RULE = Rule(
    group="data",
    certain=False,
    unless=NEVER_LEARNS,
    message="{unseen} of the evaluation rows {what}.{figures}",
    why="""The rows were sorted by class or by target when they were cut, so that the two parts differ. The
    figure measures nothing that the net could have learned.""",
    fix="Shuffle before splitting, or use train_test_split(..., stratify=y).",
    safety="Split at random, or by class (`stratify`): the figure becomes one of all classes.",
    limits="""The labels have to be sorted in blocks when they are cut, or the two parts have to differ
    clearly; and the net has to be a module. Rows that only NumPy compares with their labels are not seen. A
    split by time is left alone if the labels are no classes.""",
    wrong="x, y = x[y.argsort()], y.sort().values\n" + SPLIT.replace("180", "160") + HELD_OUT,
    mend={"x, y = x[y.argsort()], y.sort().values\n": "", SPLIT.replace("180", "160"): SPLIT},
)
