"""How many rows of an evaluation had been trained on, and whether that is by copies in the table."""

from treino.diagnosis.record.row_log import RowsEvaluated, RowsTrained

LEAST = 10  # rows of an evaluation
SINGLE = 3  # rows that may be equal
FEW = 0.02  # of the rows, up to which they may be where the table holds equal rows
MOST = 0.9  # of training's rows: then this is no part of a split, but all of it; or of an evaluation's
COPIES = 0.01  # of training's rows came twice before the first epoch was over
HALF = 0.5
CHANCE = 0.01  # rows that are equal to one by chance


def shared(e: RowsEvaluated, t: RowsTrained) -> tuple[int, int]:
    """(rows that had been trained on, of so many) where these are another part of a split; else (0, rows)."""
    if e.rows < LEAST or t.made or e.made or not t.floating:
        return 0, e.rows
    few = max(SINGLE, FEW * e.rows) if t.twice or e.repeated else SINGLE
    if e.how == "numbers" and e.part > 0 and e.by_number > few:
        return e.by_number, e.numbers
    if e.covers > MOST or t.chance > CHANCE:
        return 0, e.rows
    if e.later > max(few, HALF * e.new_later):
        return e.later, e.new_later
    held_out = e.part > 0 and (e.how == "rows" or e.trained < t.rows)
    if held_out and e.leaked > few:
        return e.leaked, e.rows
    return (e.trained, e.rows) if e.mixed > 2 * few and e.labels else (0, e.rows)


def copies(e: RowsEvaluated, t: RowsTrained) -> bool:
    """Whether the table itself holds equal rows."""
    if e.trained > MOST * e.rows and not e.repeated:
        return False  # it would have to hold each of them twice
    if e.how == "rows":
        return e.shared > HALF * e.trained / e.rows
    return t.twice > COPIES * t.rows and not (e.how == "numbers" and e.by_number > HALF * e.trained)
