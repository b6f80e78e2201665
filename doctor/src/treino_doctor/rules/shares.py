"""Count the rows of an evaluation that were trained on; distinguish copies in the table from leaks."""

from treino_doctor.finding import Site
from treino_doctor.record.log import Log
from treino_doctor.record.row_log import RowsEvaluated, RowsTrained
from treino_doctor.rules.choices import TEST, VALIDATION, naming_line
from treino_doctor.rules.rule import by_line

LEAST = 10  # minimum number of rows of an evaluation
SINGLE = 3  # rows that may be equal by accident
FEW = 0.1  # share of rows that may be equal if the table itself has equal rows
MOST = 0.9  # share of training's or an evaluation's rows: with more, these are the whole table
COPIES = 0.01  # share of training's rows repeated in the first epoch: with more, the table has copies
TELLING = 0.5  # distinct values of a column / rows: from here on, they are measured numbers
HALF = 0.5
CHANCE = 0.01  # expected number of rows equal to one row by chance


def evaluations(log: Log) -> list[tuple[RowsEvaluated, RowsTrained]]:
    """The evaluations, each with the training of its net; but not those of a batch of the training after its
    step, which nobody calls a test."""
    trains = {t.net: t for t in log.of(RowsTrained)}
    every = by_line(log.of(RowsEvaluated), lambda e: (e.net, e.stack))
    after = {k for k, own in every.items() if 2 * sum(e.stepped for e in own) > sum(e.given for e in own)}
    after = {key for key in after if naming_line(key[1], TEST | VALIDATION) is None}
    judged = (e for e in log.of(RowsEvaluated) if (e.net, e.stack) not in after)
    return [(e, trains[e.learner]) for e in judged if e.learner in trains]


def lines_of(e: RowsEvaluated, t: RowsTrained) -> dict[str, Site | None]:
    """The lines that the placement of shared rows needs."""
    return {"loader": e.loader, "split": e.cut, "train": t.site, "train_loader": t.loader}


def shared(e: RowsEvaluated, t: RowsTrained) -> tuple[int, int]:
    """(rows trained on, total rows) if these are another part of a split; else (0, rows)."""
    if e.rows < LEAST or t.made or e.made or not t.floating or _of_another_task(e, t):
        return 0, e.rows
    few = max(SINGLE, FEW * e.rows) if t.twice or e.repeated else SINGLE
    if e.how == "numbers" and e.part > 0 and e.by_number > few:
        return e.by_number, e.numbers
    few_ways = t.twice and t.telling < TELLING and e.trained < HALF * e.rows  # rows have few distinct values
    named = naming_line(e.stack, TEST) is not None
    if (e.covers > MOST and not named) or t.chance > CHANCE or few_ways:
        return 0, e.rows
    judged = e.scored or bool(e.labels) or named
    if judged and e.trained <= few and e.later > max(few, HALF * e.new_later):
        return e.later, e.new_later
    held_out = e.part > 0 and (e.how == "rows" or e.trained < t.rows)
    if held_out and e.leaked > few:
        return e.leaked, e.rows
    # Else it is an evaluation of the whole table, or of rows that are still to be trained on.
    drawn_anew = e.covers < HALF and not e.gathered and t.again > 0 and e.trained < MOST * e.rows
    part = e.part >= 0 or e.trained < HALF * e.rows or drawn_anew or named
    among_new = e.trained if e.numbers == e.rows else e.mixed  # the rows of one loader belong together
    mixed = part and among_new > few and (judged or (t.twice and e.repeated))
    return (e.trained, e.rows) if mixed else (0, e.rows)


def _of_another_task(e: RowsEvaluated, t: RowsTrained) -> bool:
    """Whether training had no labels, or other labels than the evaluation, as in pretraining."""
    untold = bool(e.labels) and not t.labelled
    return untold or (bool(e.labels) and len(t.labels.keys() - e.labels.keys()) > len(e.labels))


def copies(e: RowsEvaluated, t: RowsTrained) -> bool:
    """Whether the table itself holds equal rows."""
    if e.trained > MOST * e.rows and not e.repeated:
        return False  # otherwise the table would hold each row twice
    if e.how == "rows":
        return e.shared > HALF * e.trained / e.rows
    return t.twice > COPIES * t.rows and not (e.how == "numbers" and e.by_number > HALF * e.trained)
